"""The REST API: operations declared as data, and what is derived from them."""
