"""From a request to its durable row: the receiver's use cases."""
