"""Putting blocks of rows into either database as fast as it takes them."""

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from bench.bulk_rows import COLUMNS, Row

# The search index is made at the end: row by row it would take most of the time.
_TRIGGER = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
_GIN = "SELECT indexname, indexdef FROM pg_indexes WHERE indexdef LIKE '%USING gin%'"


def store_in_sqlite(engine: Engine, blocks: Iterable[dict[str, list[Row]]]) -> None:
    """Insert all blocks, build the search index and gather statistics."""
    raw = engine.raw_connection()
    connection: Any = raw.driver_connection
    sqlite3.register_adapter(datetime, lambda moment: moment.isoformat(" ", "microseconds")[:26])
    for pragma in ("synchronous=OFF", "foreign_keys=OFF", "cache_size=-1500000"):
        connection.execute(f"PRAGMA {pragma}")
    triggers = connection.execute(_TRIGGER).fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    for block in blocks:
        connection.execute("BEGIN")
        for table, rows in block.items():
            names = COLUMNS[table]
            marks = ", ".join("?" * len(names))
            connection.executemany(
                f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", rows
            )
        connection.execute("COMMIT")
    connection.execute("INSERT INTO search_index(search_index) VALUES ('rebuild')")
    for _, statement in triggers:
        connection.execute(statement)
    connection.execute("ANALYZE")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.invalidate()


def store_in_postgresql(engine: Engine, blocks: Iterable[dict[str, list[Row]]]) -> None:
    """Copy all blocks in, build the search index and gather statistics."""
    raw = engine.raw_connection()
    connection: Any = raw.driver_connection
    cursor = connection.cursor()
    # Rows are consistent as they are made, and a check of each would take most of the time.
    cursor.execute("SET session_replication_role = replica")
    cursor.execute("SET maintenance_work_mem = '512MB'")
    indexes = cursor.execute(_GIN).fetchall()
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    for block in blocks:
        for table, rows in block.items():
            with cursor.copy(f"COPY {table} ({', '.join(COLUMNS[table])}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        connection.commit()
    for _, statement in indexes:
        cursor.execute(statement)
    connection.commit()
    connection.autocommit = True
    cursor.execute("VACUUM ANALYZE")
    raw.invalidate()
