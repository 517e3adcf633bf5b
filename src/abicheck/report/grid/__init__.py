"""Many results as tables: rows of artifacts, columns of hosts, one notion of both for every format."""
