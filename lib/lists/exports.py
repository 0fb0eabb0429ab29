"""Lists as files: every matching row, read page by page, so that no more than one is in memory."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Generic, TypeVar

from lib import audit
from lib.access import Actor
from lib.audit_reading import AuditFilters, AuditRow, list_entries
from lib.events.conditions import EventFilters
from lib.events.figures import EventFigures, figures_of, shown_status, subjects_of
from lib.events.reading import EventRow, list_events
from lib.hub import Hub
from lib.intake.rejections import Rejection, RejectionFilters, list_rejections
from lib.lists.csv_text import write_rows
from lib.lists.paging import LARGEST_PAGE, Page
from lib.outgoing.deliveries import list_deliveries
from lib.outgoing.delivery_filters import DeliveryFilters
from lib.outgoing.delivery_views import DeliveryRow

MOST_ROWS = 1_000_000
FORMATS = {"csv": "text/csv", "jsonl": "application/jsonl"}
# People are searched for by name and number, and tags and expressions hold such too.
_PERSONAL = ("search", "tag", "expression")
_NOT_RECORDED = "set, not recorded"
# What an event has beside its own row: whom it is about, and how its deliveries fare.
_FARING = (
    "subject", "destinations", "deliveries", "arrived", "attempts", "last_answer", "seconds",
)  # fmt: skip
_OF_REJECTION = (
    "id", "created_at", "service_name", "integration_id", "integration_name", "reason", "message",
    "method", "content_type", "body_bytes", "source_ip", "response_code", "not_kept",
)  # fmt: skip
Row = TypeVar("Row", EventRow, DeliveryRow, AuditRow, Rejection)
Filters = EventFilters | DeliveryFilters | AuditFilters | RejectionFilters
Cells = dict[str, Any]


@dataclass(frozen=True)
class _List(Generic[Row]):
    """A list as it is exported: its name, its columns, its pages, and the cells of a page."""

    name: str
    columns: Sequence[str]
    read: Callable[[str | None], Page[Row]]
    cells: Callable[[Sequence[Row]], list[Cells]]


def export_events(hub: Hub, actor: Actor, filters: EventFilters, format_: str) -> Iterator[str]:
    """Yield the matching events in parts, newest first, masked as lists are; it is audited.

    Raises what `list_events` raises, before the first part.
    """

    def read(cursor: str | None) -> Page[EventRow]:
        return list_events(hub, actor, filters, cursor=cursor, limit=LARGEST_PAGE)

    def cells(rows: Sequence[EventRow]) -> list[Cells]:
        ids = [row.id for row in rows]
        figures, subjects = figures_of(hub, actor, ids), subjects_of(hub, actor, ids)
        return [_event_cells(row, figures.get(row.id), subjects.get(row.id)) for row in rows]

    columns = [*(item.name for item in fields(EventRow)), *_FARING]
    return _parts(hub, actor, _List("events", columns, read, cells), filters, format_)


def export_deliveries(
    hub: Hub, actor: Actor, filters: DeliveryFilters, format_: str
) -> Iterator[str]:
    """Yield the matching deliveries in parts, as `export_events` does."""

    def read(cursor: str | None) -> Page[DeliveryRow]:
        return list_deliveries(hub, actor, filters, cursor=cursor, limit=LARGEST_PAGE)

    def cells(rows: Sequence[DeliveryRow]) -> list[Cells]:
        return [asdict(row) for row in rows]

    columns = [item.name for item in fields(DeliveryRow)]
    return _parts(hub, actor, _List("deliveries", columns, read, cells), filters, format_)


def export_rejections(
    hub: Hub, actor: Actor, filters: RejectionFilters, format_: str
) -> Iterator[str]:
    """Yield the matching refused requests in parts, as `export_events` does.

    Without what was sent: its headers and its body prove nothing and may hold secrets.
    """

    def read(cursor: str | None) -> Page[Rejection]:
        return list_rejections(hub, actor, filters, cursor=cursor, limit=LARGEST_PAGE)

    def cells(rows: Sequence[Rejection]) -> list[Cells]:
        return [{name: getattr(row, name) for name in _OF_REJECTION} for row in rows]

    return _parts(hub, actor, _List("rejections", _OF_REJECTION, read, cells), filters, format_)


def export_audit(hub: Hub, actor: Actor, filters: AuditFilters, format_: str) -> Iterator[str]:
    """Yield the matching entries of the audit log in parts, as `export_events` does; staff only."""

    def read(cursor: str | None) -> Page[AuditRow]:
        return list_entries(hub, actor, filters, cursor=cursor, limit=LARGEST_PAGE)

    def cells(rows: Sequence[AuditRow]) -> list[Cells]:
        return [asdict(row) for row in rows]

    columns = [item.name for item in fields(AuditRow)]
    return _parts(hub, actor, _List("audit", columns, read, cells), filters, format_)


def _event_cells(row: EventRow, figures: EventFigures | None, subject: str | None) -> Cells:
    faring = (
        (figures.total, figures.arrived, figures.attempts, figures.last_answer, figures.seconds)
        if figures
        else (0, 0, 0, None, None)
    )
    places = ", ".join(figures.destinations) if figures else ""
    return {
        **asdict(row),
        "status": shown_status(row.status, figures),
        **dict(zip(_FARING, (subject, places, *faring), strict=True)),
    }


def _parts(
    hub: Hub,
    actor: Actor,
    listed: _List[Row],
    filters: Filters,
    format_: str,
) -> Iterator[str]:
    # The first page is read here, so that a filter that cannot be is refused and not sent.
    first = listed.read(None)
    details = {"format": format_, **_say_filters(filters)}
    with hub.database.write() as session:
        audit.record(session, actor, f"{listed.name}.exported", listed.name, **details)
    return _write(listed, first, format_)


def _say_filters(filters: Filters) -> dict[str, str]:
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


def _write(listed: _List[Row], first: Page[Row], format_: str) -> Iterator[str]:
    if format_ == "csv":
        yield write_rows([listed.columns])
    page, written = first, 0
    while True:
        rows = listed.cells(page.rows[: MOST_ROWS - written])
        written += len(rows)
        yield _as_csv(rows) if format_ == "csv" else _as_lines(rows)
        if page.next_cursor is None or written >= MOST_ROWS:
            return
        page = listed.read(page.next_cursor)


def _as_csv(rows: Sequence[dict[str, Any]]) -> str:
    return write_rows([_plain(value) for value in row.values()] for row in rows)


def _as_lines(rows: Sequence[dict[str, Any]]) -> str:
    return "".join(f"{json.dumps(row, default=_plain)}\n" for row in rows)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True)
    return value.isoformat() if isinstance(value, datetime) else value
