"""The public side of the hub: a Starlette app that takes webhooks and tells its health."""
