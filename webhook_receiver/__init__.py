"""The public side of the hub: a Starlette app that takes webhooks and tells its health."""

from lib import hidden

# uvicorn's standard extra brings watchfiles, which reloads code in development.
with hidden("watchfiles"):
    import uvicorn  # noqa: F401 - loaded here so that nobody loads it with watchfiles
