"""What changes or runs things: container engines."""
