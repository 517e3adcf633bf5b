"""What is wrong in sources, for readers and for programs."""
