"""The Settings and Audit screens."""
