"""The engine and its transactions, on SQLite and PostgreSQL alike."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session

SQLITE_BUSY_MILLISECONDS = 5_000
# The database is away, or all of its connections are in use: the same step may pass later.
OUTAGES = (OperationalError, InterfaceError, PoolTimeout)
# On PostgreSQL the receiver notifies here with each batch of events that it commits.
EVENTS_CHANNEL = "hub_events"

# Kept in the file. auto_vacuum comes first, for it only takes effect before the first table.
_FILE_PRAGMAS = ("PRAGMA auto_vacuum=INCREMENTAL", "PRAGMA journal_mode=WAL")
_CONNECTION_PRAGMAS = ("PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON")
# Starting a parallel worker or a compiler takes longer than any statement of the hub should.
_POSTGRESQL_SETTINGS = "SET max_parallel_workers_per_gather = 0; SET jit = off"


class Database:
    """Short transactions over one engine.

    `read()` sees one snapshot. `write()` takes SQLite's write lock at its start, so that
    a transaction that reads before it writes cannot fail half-way with "database is locked".
    """

    def __init__(self, url: str) -> None:
        self.url: URL = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _make_engine(self.url)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Yield a session that is rolled back at the end."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Yield a session that is committed at the end, or rolled back on an error."""
        engine = self.engine.execution_options(hub_writes=True)
        with Session(engine, expire_on_commit=False) as session, session.begin():
            session.connection()
            yield session

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def sqlite_path(url: URL) -> Path:
    """Return the file of a SQLite URL."""
    return Path(url.database or "")


def prepare_sqlite(connection: sqlite3.Connection, *, busy_milliseconds: int) -> None:
    """Set what every SQLite connection of the hub has; on a file in WAL mode this takes no lock."""
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={busy_milliseconds}")
    (journal_mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    missing = () if journal_mode == "wal" else _FILE_PRAGMAS
    for pragma in (*missing, *_CONNECTION_PRAGMAS):
        connection.execute(pragma)


def _make_engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return _make_postgresql_engine(url)
    sqlite_path(url).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: object) -> None:
        prepare_sqlite(connection, busy_milliseconds=SQLITE_BUSY_MILLISECONDS)

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get("hub_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _make_postgresql_engine(url: URL) -> Engine:
    engine = create_engine(url, pool_pre_ping=True, pool_size=5, max_overflow=10)

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: object) -> None:
        connection.execute(_POSTGRESQL_SETTINGS)
        connection.commit()

    return engine
