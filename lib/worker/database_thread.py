"""Where the event loop's steps meet the database: in threads, and patient while it is away."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import structlog
from sqlalchemy.exc import DBAPIError

from lib.database import OUTAGES, Database

log = structlog.get_logger()

OUTAGE_SECONDS = 2.0
Result = TypeVar("Result")


def name_of(error: Exception) -> str:
    """Return the kind of a database's error; its text repeats the values of rows."""
    return type(error.orig if isinstance(error, DBAPIError) else error).__name__


class DatabaseThread:
    """Runs blocking steps beside the event loop.

    SQLite has one writer at a time, and one thread queues better than its busy handler.
    """

    def __init__(self, database: Database) -> None:
        self._executor = ThreadPoolExecutor(1 if database.is_sqlite else 3, "database")

    async def run(self, step: Callable[[], Result]) -> Result:
        """Return the step's result; it is begun again for as long as the database is away."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                return await loop.run_in_executor(self._executor, step)
            except (DBAPIError, *OUTAGES) as error:
                log.warning("database_away", why=name_of(error))
                await asyncio.sleep(OUTAGE_SECONDS)

    async def run_once(self, step: Callable[[], Result]) -> Result:
        """Return the step's result; raise as the database does while it is away."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, step)

    def close(self) -> None:
        """Wait for the step that runs."""
        self._executor.shutdown()
