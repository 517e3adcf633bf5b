"""Package indexes as the user's own pip sees them: what they offer, and the wheels that pip would install on a target."""
