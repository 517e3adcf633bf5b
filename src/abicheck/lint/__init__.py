"""Sources of bindings -> what is wrong in them, read as a syntax tree: no headers, no build."""
