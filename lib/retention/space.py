"""Space on disk: how much the database takes, and giving freed pages back on SQLite.

PostgreSQL reuses and returns space by its own autovacuum.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlmodel import Session

from lib.database import SQLITE_BUSY_MILLISECONDS, Database, sqlite_path

log = structlog.get_logger()

_PAGES_AT_ONCE = 200
# When space is short, even the log of a step must be short.
_PAGES_WHEN_FULL = 8
_STEPS_WHEN_FULL = 50
_FEW_PAGES = 64
_MERGE_PAGES = 64
_CHECKPOINT_MILLISECONDS = 200
_POSTGRESQL_DISK_FULL = "53100"


def is_full(error: DBAPIError) -> bool:
    """Say whether a write failed because disk or database have no room."""
    if isinstance(error.orig, sqlite3.Error):
        code: int = getattr(error.orig, "sqlite_errorcode", 0)
        return code & 0xFF == sqlite3.SQLITE_FULL
    return getattr(error.orig, "sqlstate", None) == _POSTGRESQL_DISK_FULL


def held_bytes(database: Database) -> int:
    """Return the size of a SQLite database with its log; 0 for PostgreSQL."""
    if not database.is_sqlite:
        return 0
    path = sqlite_path(database.url)
    files = (path, path.with_name(f"{path.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def vacuum_step(database: Database, *, share: float = 1.0) -> bool:
    """Cut some free pages off the file in one short transaction; say whether many are left.

    `share` is how much of a full step there seems to be room for.
    """
    pages = max(_PAGES_WHEN_FULL, int(_PAGES_AT_ONCE * share))
    with _driver(database) as connection:
        before = _free_pages(connection)
        if before <= _FEW_PAGES:
            return False
        # The module ends a PRAGMA after its first row, here a page; a script runs to its end.
        connection.executescript(f"PRAGMA incremental_vacuum({pages})")
        return _FEW_PAGES < _free_pages(connection) < before


def checkpoint(database: Database) -> None:
    """Move the log into the file and cut the log, as far as readers let it."""
    if not _checkpoint(database, "TRUNCATE"):
        _checkpoint(database, "PASSIVE")


def make_room(database: Database) -> None:
    """Free what can be freed without room of one's own.

    A checkpoint lets the log start again in the space it already has; free pages are cut off
    the file a few at a time.
    """
    if not database.is_sqlite:
        return
    try:
        _checkpoint(database, "RESTART")
        for _ in range(_STEPS_WHEN_FULL):
            if not vacuum_step(database, share=0.0):
                break
            _checkpoint(database, "RESTART")
    except OperationalError as error:
        log.warning("no_room_made", why=type(error.orig).__name__)


def merge_step(session: Session, *, is_first: bool, share: float) -> bool:
    """Merge some pages of the SQLite text index, dropping what was deleted; say if more is left.

    A negative number starts the merge of all segments into one, positive ones carry it on; it
    is over when nothing is written (https://www.sqlite.org/fts5.html#the_merge_command).
    """
    pages = max(_PAGES_WHEN_FULL, int(_MERGE_PAGES * share))
    changes = text("SELECT total_changes()")
    before = session.execute(changes).scalar_one()
    session.execute(
        text("INSERT INTO search_index(search_index, rank) VALUES ('merge', :pages)"),
        {"pages": -pages if is_first else pages},
    )
    return is_first or session.execute(changes).scalar_one() - before >= 2


def _checkpoint(database: Database, mode: str) -> bool:
    """Run one checkpoint; say whether readers let it do all it should."""
    with _driver(database) as connection:
        connection.execute(f"PRAGMA busy_timeout={_CHECKPOINT_MILLISECONDS}")
        try:
            (is_busy, _, _) = connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        finally:
            connection.execute(f"PRAGMA busy_timeout={SQLITE_BUSY_MILLISECONDS}")
    return not is_busy


def _free_pages(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA freelist_count").fetchone()[0])


@contextmanager
def _driver(database: Database) -> Iterator[sqlite3.Connection]:
    """Yield the driver's connection, for PRAGMAs that work outside transactions."""
    pooled = database.engine.raw_connection()
    try:
        yield cast(sqlite3.Connection, pooled.driver_connection)
    except sqlite3.Error as error:
        raise OperationalError("PRAGMA", None, error) from error
    finally:
        pooled.close()
