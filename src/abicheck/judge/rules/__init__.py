"""Rules: pages as data, and the logic of those that look across objects."""
