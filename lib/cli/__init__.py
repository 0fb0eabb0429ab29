"""The operator's commands: `python -m lib.cli`."""
