"""Who uses the hub, and how they prove it: passwords, sessions, second factors, links, tokens."""
