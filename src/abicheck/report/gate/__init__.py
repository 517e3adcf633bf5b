"""What an upgrade changes: for the terminal, as markdown and as JSON."""
