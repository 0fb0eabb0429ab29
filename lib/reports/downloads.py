"""Making a report for somebody to take away, which the audit log tells of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from lib import audit
from lib.access import Actor
from lib.errors import InvalidInput
from lib.hub import Hub
from lib.reports.as_csv import write_csv_report
from lib.reports.as_html import write_html_report
from lib.reports.monthly import Report, monthly_report

_WRITERS: Mapping[str, tuple[str, Callable[[Report], str]]] = {
    "html": ("text/html", write_html_report),
    "csv": ("text/csv", write_csv_report),
}
FORMATS = tuple(_WRITERS)


@dataclass(frozen=True)
class Wanted:
    """Which report: a month such as 2026-11, its format, its calendar, and whose it is."""

    month: str
    format: str
    zone: ZoneInfo
    member_id: str | None = None


def make_report(hub: Hub, actor: Actor, wanted: Wanted) -> str:
    """Return the document; raise InvalidInput for an unknown format or month."""
    if wanted.format not in _WRITERS:
        raise InvalidInput(f"Choose one of: {', '.join(FORMATS)}.", field="format")
    report = monthly_report(hub, actor, wanted.month, zone=wanted.zone, member_id=wanted.member_id)
    with hub.database.write() as session:
        audit.record(
            session, actor, "report.made", wanted.month, format=wanted.format, scope=report.scope
        )
    _, write = _WRITERS[wanted.format]
    return write(report)


def media_type(name: str) -> str:
    """Return the media type of one of FORMATS."""
    return _WRITERS[name][0]
