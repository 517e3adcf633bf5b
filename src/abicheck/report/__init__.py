"""Reports: a finished `Report` to text; pure."""
