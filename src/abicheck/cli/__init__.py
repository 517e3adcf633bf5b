"""The command line: one file a command; parse, call the library, write, return the exit code."""
