"""Lists as files: every matching row, read page by page, so that no more than one is in memory."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, TypeVar

from lib import audit
from lib.access import Actor
from lib.csv_text import write_rows
from lib.event_conditions import EventFilters
from lib.events import EventRow, list_events
from lib.hub import Hub
from lib.outgoing.deliveries import list_deliveries
from lib.outgoing.delivery_filters import DeliveryFilters
from lib.outgoing.delivery_views import DeliveryRow
from lib.paging import LARGEST_PAGE, Page

MOST_ROWS = 1_000_000
FORMATS = {"csv": "text/csv", "jsonl": "application/jsonl"}
# People are searched for by name and number, and tags and expressions hold such too.
_PERSONAL = ("search", "tag", "expression")
_NOT_RECORDED = "set, not recorded"
Row = TypeVar("Row", EventRow, DeliveryRow)


def export_events(hub: Hub, actor: Actor, filters: EventFilters, format_: str) -> Iterator[str]:
    """Yield the matching events in parts, newest first, masked as lists are; it is audited.

    Raises what `list_events` raises, before the first part.
    """

    def read(cursor: str | None) -> Page[EventRow]:
        return list_events(hub, actor, filters, cursor=cursor, limit=LARGEST_PAGE)

    details = {"format": format_, **_say_filters(filters)}
    return _parts(hub, actor, EventRow, read=read, details=details)


def export_deliveries(
    hub: Hub, actor: Actor, filters: DeliveryFilters, format_: str
) -> Iterator[str]:
    """Yield the matching deliveries in parts, as `export_events` does."""

    def read(cursor: str | None) -> Page[DeliveryRow]:
        return list_deliveries(hub, actor, filters, cursor=cursor, limit=LARGEST_PAGE)

    details = {"format": format_, **_say_filters(filters)}
    return _parts(hub, actor, DeliveryRow, read=read, details=details)


def _parts(
    hub: Hub,
    actor: Actor,
    kind: type[Row],
    *,
    read: Callable[[str | None], Page[Row]],
    details: Mapping[str, str],
) -> Iterator[str]:
    # The first page is read here, so that a filter that cannot be is refused and not sent.
    first = read(None)
    what = "events" if kind is EventRow else "deliveries"
    with hub.database.write() as session:
        audit.record(session, actor, f"{what}.exported", what, **details)
    names = [item.name for item in fields(kind)]
    return _write(first, names, read=read, format_=details["format"])


def _say_filters(filters: EventFilters | DeliveryFilters) -> dict[str, str]:
    """Return the filters in force for the record; of what may name a person only that it was."""
    said: dict[str, str] = {}
    for item in fields(filters):
        value = getattr(filters, item.name)
        if value in (None, ""):
            continue
        if item.name in _PERSONAL:
            said[item.name] = _NOT_RECORDED
        else:
            said[item.name] = str(_plain(value))
    return said


def _write(
    first: Page[Row],
    names: Sequence[str],
    *,
    read: Callable[[str | None], Page[Row]],
    format_: str,
) -> Iterator[str]:
    if format_ == "csv":
        yield write_rows([names])
    page, written = first, 0
    while True:
        rows = [asdict(row) for row in page.rows[: MOST_ROWS - written]]
        written += len(rows)
        yield _as_csv(rows) if format_ == "csv" else _as_lines(rows)
        if page.next_cursor is None or written >= MOST_ROWS:
            return
        page = read(page.next_cursor)


def _as_csv(rows: Sequence[dict[str, Any]]) -> str:
    return write_rows([_plain(value) for value in row.values()] for row in rows)


def _as_lines(rows: Sequence[dict[str, Any]]) -> str:
    return "".join(f"{json.dumps(row, default=_plain)}\n" for row in rows)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
