"""Measurements that a reader can repeat with one command each."""
