"""The statements of a block and how the database would run each of them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from lib.hub import Hub

BIG_TABLES = (
    "webhook_events",
    "deliveries",
    "delivery_attempts",
    "event_keys",
    "search_documents",
    "rejected_requests",
    "audit_log",
    "hourly_rollups",
    "delivery_rollups",
    "failure_rollups",
    "message_rollups",
    "duration_rollups",
    "message_states",
    "event_totals",
    "delivery_totals",
    "latency_totals",
    "failure_totals",
    "message_totals",
    "duration_totals",
)
_TABLES = "|".join(BIG_TABLES)
_WHOLE = {
    True: re.compile(rf"^SCAN ({_TABLES})\b"),
    False: re.compile(rf"Seq Scan on ({_TABLES})\b"),
}
_INDEX_SCAN = re.compile(rf"Index (?:Only )?Scan(?: Backward)? using (\w+) on ({_TABLES})\b")
_BITMAP_SCAN = re.compile(rf"Bitmap Index Scan on ((?:pk|ix|uq)_(?:{_TABLES})\w*)")
# An index that holds few rows by its own condition may be read whole, and one whose order a
# LIMIT or a minimum ends.
_FEW_ROWS = re.compile(r"ix_\w+_(?:pending|failed|failing|dead|retrying|queue|leased)")
_ENDS_EARLY = re.compile(r"\b(?:LIMIT|min\(|max\()")


@contextmanager
def statements_of(hub: Hub) -> Iterator[list[tuple[str, Any]]]:
    """Yield the list that every select of the block is added to, with its parameters."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, text: str, parameters: Any, *_rest: Any) -> None:
        if text.lstrip().upper().startswith(("SELECT", "WITH")):
            seen.append((text, parameters))

    event.listen(hub.database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(hub.database.engine, "before_cursor_execute", note)


def whole_tables_read(hub: Hub, text: str, parameters: Any) -> list[str]:
    """Return the steps of a statement's plan that read a big table from end to end."""
    is_sqlite = hub.database.is_sqlite
    with hub.database.read() as session:
        connection = session.connection()
        if not is_sqlite:
            # Whether an index can serve shows on few rows only when the scan is no choice.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
        rows = connection.exec_driver_sql(explain + text, parameters).all()
    steps = [str(row[3] if is_sqlite else row[0]).strip() for row in rows]
    found = [step for step in steps if _reads_all(step, text, is_sqlite=is_sqlite)]
    return found if is_sqlite or _ENDS_EARLY.search(text) else found + _whole_indexes(steps)


def _reads_all(step: str, text: str, *, is_sqlite: bool) -> bool:
    if not _WHOLE[is_sqlite].search(step):
        return False
    is_bounded = _FEW_ROWS.search(step) or _ENDS_EARLY.search(text)
    return not (is_sqlite and "INDEX" in step and is_bounded)


def _whole_indexes(steps: list[str]) -> list[str]:
    """Return PostgreSQL's scans of an index from end to end: those without a condition on it."""
    found = []
    for number, step in enumerate(steps):
        scan = _INDEX_SCAN.search(step) or _BITMAP_SCAN.search(step)
        if scan is None or _FEW_ROWS.match(scan[1]):
            continue
        following = steps[number + 1 : number + 2]
        if not any("Index Cond:" in each for each in following):
            found.append(step)
    return found
