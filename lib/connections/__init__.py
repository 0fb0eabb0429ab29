"""The integrations of members: added, tested, shown, shared and ended."""
