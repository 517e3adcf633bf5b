"""What is to be deployed: wheels, installed distributions, environments, and what their Python code does by itself."""
