"""Reports as one HTML page that needs nothing else: no network, no framework, and for reading not even its script."""
