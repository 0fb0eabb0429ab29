"""Hearing that another process has written, without asking the tables again and again."""

import asyncio
import sqlite3
from collections.abc import Callable

import structlog
from sqlalchemy.engine import URL

from lib.database import EVENTS_CHANNEL, Database, sqlite_path

log = structlog.get_logger()

POLL_SECONDS = 0.02
_RECONNECT_SECONDS = 2.0


async def watch(database: Database, on_change: Callable[[], None]) -> None:
    """Call `on_change` soon after another process has committed, until cancelled."""
    if database.is_sqlite:
        await _watch_sqlite(database.url, on_change)
    else:
        await _watch_postgresql(database.url, on_change)


async def _watch_sqlite(url: URL, on_change: Callable[[], None]) -> None:
    """Poll the number that SQLite changes with each commit of another connection.

    https://www.sqlite.org/pragma.html#pragma_data_version: it reads no table and takes
    some microseconds.
    """
    connection = sqlite3.connect(sqlite_path(url))
    try:
        seen = None
        while True:
            (version,) = connection.execute("PRAGMA data_version").fetchone()
            if version != seen:
                seen = version
                on_change()
            await asyncio.sleep(POLL_SECONDS)
    finally:
        connection.close()


async def _watch_postgresql(url: URL, on_change: Callable[[], None]) -> None:
    """Listen; while the server is away the worker's own pauses are what is left."""
    # Some megabytes that a worker on SQLite need not hold.
    from psycopg import OperationalError

    while True:
        try:
            await _listen(url, on_change)
        except OperationalError as error:
            log.warning("listener_away", why=type(error).__name__)
        await asyncio.sleep(_RECONNECT_SECONDS)


async def _listen(url: URL, on_change: Callable[[], None]) -> None:
    from psycopg import AsyncConnection

    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    async with await AsyncConnection.connect(address, autocommit=True) as listener:
        await listener.execute(f"LISTEN {EVENTS_CHANNEL}")
        async for _ in listener.notifies():
            on_change()
