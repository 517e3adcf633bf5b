"""What was repaired: for the terminal and as JSON."""
