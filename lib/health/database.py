"""The database's own figures: engine, revision, size, what is free, and its clock."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlmodel import Session

from lib.clock import now
from lib.database import Database, sqlite_path
from lib.health.readings import Reading, graded
from lib.quantities import byte_size
from lib.schema import HEAD, pending_revision

_GROUP = "Database"
_LARGE_WAL = 256_000_000
_HUGE_WAL = 2_000_000_000
_FREE_SHARE_WARN = 0.25
_SKEW_WARN, _SKEW_BAD = 2.0, 30.0
_CONNECTIONS_WARN, _CONNECTIONS_BAD = 0.8, 0.95


@dataclass(frozen=True)
class DatabaseSize:
    """Bytes on disk; `wal_bytes` and `free_bytes` are 0 on PostgreSQL, which sees to them."""

    total_bytes: int
    wal_bytes: int
    free_bytes: int


def measure(database: Database, session: Session) -> DatabaseSize:
    """Return how much room the database takes."""
    if not database.is_sqlite:
        size = session.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
        return DatabaseSize(int(size), 0, 0)
    path = sqlite_path(database.url)
    log = path.with_name(f"{path.name}-wal")
    wal = log.stat().st_size if log.exists() else 0
    pages = int(session.execute(text("PRAGMA freelist_count")).scalar_one())
    page_bytes = int(session.execute(text("PRAGMA page_size")).scalar_one())
    return DatabaseSize(path.stat().st_size + wal, wal, pages * page_bytes)


def read_database(database: Database) -> Iterator[Reading]:
    """Yield the readings of the database; raises DBAPIError while it is away."""
    pending = pending_revision(database)
    with database.read() as session:
        yield Reading(_GROUP, "Engine", "ok", _engine(database, session))
        yield Reading(
            _GROUP,
            "Revision",
            "bad" if pending else "ok",
            f"not at {pending}" if pending else f"{HEAD}, up to date",
            "Run `python -m lib.cli migrate`." if pending else "",
        )
        yield from _read_space(database, measure(database, session))
        if not database.is_sqlite:
            yield _read_connections(session)
        yield _read_clock(database, session)


def _engine(database: Database, session: Session) -> str:
    if database.is_sqlite:
        return f"SQLite {sqlite3.sqlite_version}"
    version = str(session.execute(text("SHOW server_version")).scalar_one())
    return f"PostgreSQL {version.partition(' ')[0]}"


def _read_space(database: Database, size: DatabaseSize) -> Iterator[Reading]:
    yield Reading(_GROUP, "Size", "ok", byte_size(size.total_bytes))
    if not database.is_sqlite:
        return
    state = graded(size.wal_bytes, warn=_LARGE_WAL, bad=_HUGE_WAL)
    yield Reading(
        _GROUP,
        "Write-ahead log",
        state,
        byte_size(size.wal_bytes),
        ""
        if state == "ok"
        else "Something reads for a long time and keeps the log from being cut. End long-running "
        "programs that have the database open, then run `python -m lib.cli retention`.",
    )
    share = size.free_bytes / size.total_bytes if size.total_bytes else 0.0
    is_wasteful = share >= _FREE_SHARE_WARN and size.free_bytes > _LARGE_WAL
    yield Reading(
        _GROUP,
        "Free pages",
        "warn" if is_wasteful else "ok",
        f"{byte_size(size.free_bytes)}, {share:.0%} of the file",
        "Run `python -m lib.cli retention`, which gives them back to the disk."
        if is_wasteful
        else "",
    )


def _read_connections(session: Session) -> Reading:
    used = int(session.execute(text("SELECT count(*) FROM pg_stat_activity")).scalar_one())
    most = int(session.execute(text("SHOW max_connections")).scalar_one())
    state = graded(used / most, warn=_CONNECTIONS_WARN, bad=_CONNECTIONS_BAD)
    step = "" if state == "ok" else "Raise max_connections of the server, or end what holds them."
    return Reading(_GROUP, "Connections", state, f"{used} of {most}", step)


def _read_clock(database: Database, session: Session) -> Reading:
    if database.is_sqlite:
        return Reading(_GROUP, "Clock skew", "ok", "none: the database is in this machine's file")
    theirs: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    skew = (now() - theirs).total_seconds()
    state = graded(abs(skew), warn=_SKEW_WARN, bad=_SKEW_BAD)
    step = (
        ""
        if state == "ok"
        else "Set the clocks of both machines by NTP: signatures and leases go by them."
    )
    return Reading(
        _GROUP,
        "Clock skew",
        state,
        f"{skew:+.2f} s against the server",
        "" if state == "ok" else step,
    )
