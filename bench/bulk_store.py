"""Filling a hub's tables in bulk, as fast as either database takes rows."""

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from sqlalchemy import Engine

from bench.bulk_rows import POSTGRESQL, SQLITE, Place, statements

# Indexes are made at the end: row by row they would take most of the time. The same is true of
# the search index, which triggers keep.
_LATER_IN_SQLITE = (
    "SELECT type, name, sql FROM sqlite_master "
    "WHERE (type = 'trigger' OR (type = 'index' AND sql IS NOT NULL)) AND tbl_name IN "
    "('webhook_events', 'deliveries', 'event_keys', 'search_documents') "
    "OR (type = 'trigger' AND tbl_name LIKE '%_rollups')"
)
_LATER_IN_POSTGRESQL = (
    "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename IN "
    "('webhook_events', 'deliveries', 'event_keys', 'search_documents') AND indexname NOT IN "
    "(SELECT conname FROM pg_constraint)"
)


def fill_sqlite(engine: Engine, places: list[Place], events: int) -> None:
    """Insert all rows, build the indexes and gather statistics."""
    # Another connection would keep the journal from being left out.
    engine.dispose()
    raw = engine.raw_connection()
    connection: Any = raw.driver_connection
    for pragma in (
        "journal_mode=OFF", "synchronous=OFF", "foreign_keys=OFF", "cache_size=-1500000",
        "temp_store=MEMORY", "threads=2",
    ):  # fmt: skip
        connection.execute(f"PRAGMA {pragma}")
    later = connection.execute(_LATER_IN_SQLITE).fetchall()
    for kind, name, _ in later:
        connection.execute(f"DROP {kind} {name}")
    for statement in (*statements(places, events, SQLITE), *_totals(is_sqlite=True)):
        connection.execute("BEGIN")
        connection.execute(statement)
        connection.execute("COMMIT")
    for _, _, statement in later:
        connection.execute(statement)
    connection.execute("INSERT INTO search_index(search_index) VALUES ('rebuild')")
    connection.execute("ANALYZE")
    connection.execute("PRAGMA journal_mode=WAL")
    raw.invalidate()


def fill_postgresql(engine: Engine, places: list[Place], events: int) -> None:
    """Insert all rows, build the indexes and gather statistics."""
    raw = engine.raw_connection()
    connection: Any = raw.driver_connection
    connection.autocommit = True
    cursor = connection.cursor()
    # Rows are consistent as they are made, and a check of each would take most of the time.
    cursor.execute("SET session_replication_role = replica")
    cursor.execute("SET maintenance_work_mem = '1GB'")
    cursor.execute("SET work_mem = '512MB'")
    later = cursor.execute(_LATER_IN_POSTGRESQL).fetchall()
    for name, _ in later:
        cursor.execute(f"DROP INDEX {name}")
    for statement in (*statements(places, events, POSTGRESQL), *_totals(is_sqlite=False)):
        cursor.execute(statement)
    for _, statement in later:
        cursor.execute(statement)
    cursor.execute("VACUUM ANALYZE")
    raw.invalidate()


def _totals(*, is_sqlite: bool) -> Iterable[str]:
    """Return what sums up the rollups at once, in place of the triggers."""
    found: Iterable[str] = import_module("lib.migrations.versions.0007_totals").fill_statements(
        is_sqlite=is_sqlite
    )
    return found
