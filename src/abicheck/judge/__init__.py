"""Judges: model values to model values; they never read."""
