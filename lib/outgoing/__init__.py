"""Everything that happens to an event after it was stored: routes, deliveries, attempts."""
