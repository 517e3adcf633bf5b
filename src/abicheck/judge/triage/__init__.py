"""From a bug report to its cause: signatures found in its text, facts taken from it, causes put in order."""
