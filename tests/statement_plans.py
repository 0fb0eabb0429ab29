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
    "message_states",
)
_TABLES = "|".join(BIG_TABLES)
_WHOLE = {
    # A scan in the order of an index is one that a LIMIT or the next hop ends.
    True: re.compile(rf"^SCAN ({_TABLES})(?: AS \w+)?$"),
    False: re.compile(rf"Seq Scan on ({_TABLES})\b"),
}


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
    steps = [str(row[3] if is_sqlite else row[0]) for row in rows]
    return [step for step in steps if _WHOLE[is_sqlite].search(step.strip())]
