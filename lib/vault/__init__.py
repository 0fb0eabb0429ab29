"""Master keys, what is sealed under them, and sealing it anew."""
