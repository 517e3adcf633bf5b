"""Tells, before anything runs, whether native code will load on a host, why not, and what to do."""

__version__ = "0.1.0"
