"""Alerts: what is found wrong, who is told, and over which channel."""
