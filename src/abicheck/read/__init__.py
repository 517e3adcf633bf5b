"""Readers: the world to model values; they never judge."""
