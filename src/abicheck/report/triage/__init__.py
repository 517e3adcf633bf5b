"""What a bug report is about: for the terminal, as markdown and as JSON."""
