"""Backups: made, proven to restore, and made again every day."""
