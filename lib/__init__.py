"""Everything of Members Hub that is neither a screen nor an HTTP route."""
