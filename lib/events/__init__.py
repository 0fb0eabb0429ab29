"""Stored events: found, read, changed, and done things to by the many."""
