"""The monthly report of what the hub carried, as a page to print and as a table."""
