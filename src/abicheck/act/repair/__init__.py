"""Repairs of shared objects that change bits in place, in wheels and where they are installed."""
