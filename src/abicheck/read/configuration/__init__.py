"""The configuration of a project: where it is, and what it says."""
