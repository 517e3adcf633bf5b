"""Which releases load: for the terminal, as markdown and as JSON."""
