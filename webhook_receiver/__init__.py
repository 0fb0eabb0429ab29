"""The public side of the hub: a Starlette app that takes webhooks and tells its health."""

import lib  # noqa: F401 - first, for it decides what structlog loads
