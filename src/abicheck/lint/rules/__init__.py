"""The pages of the rules for sources, as data."""
