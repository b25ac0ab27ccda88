"""One file, one node."""
