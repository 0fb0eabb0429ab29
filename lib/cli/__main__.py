"""Runs one command of the operator: `python -m lib.cli`."""

import sys

from lib.cli.commands import main

if __name__ == "__main__":
    sys.exit(main())
