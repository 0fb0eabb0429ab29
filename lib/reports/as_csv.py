"""A report as one tidy table: section, item, measure, value."""

from collections.abc import Iterator

from lib.analytics.figures import Figures
from lib.lists.csv_text import write_csv
from lib.reports.monthly import Report
from lib.reports.words import cause_in_words

_Row = tuple[str, str, str, object]


def write_csv_report(report: Report) -> str:
    """Return the report as CSV; shares are 0 to 1 and durations milliseconds."""
    return write_csv(("section", "item", "measure", "value"), _rows(report))


def _rows(report: Report) -> Iterator[_Row]:
    yield "report", "", "month", report.month
    yield "report", "", "scope", report.scope
    yield "report", "", "zone", report.period.zone.key
    yield "report", "", "made_at", report.made_at.isoformat(timespec="seconds")
    for name, found in (("this month", report.figures), ("month before", report.before)):
        yield from _figures(name, found)
    for measure, value in zip(("p50", "p95", "p99"), report.latencies, strict=True):
        yield "latency", "attempts", measure, value
    for day, count in report.days:
        yield "days", day.isoformat(), "received", count
    for cause in report.causes:
        yield "causes", cause_in_words(cause), "failed attempts", cause.count
    yield "incidents", "", "opened", report.incidents.opened
    yield "incidents", "", "resolved", report.incidents.resolved
    for incident in report.incidents.heaviest:
        name = f"{incident.destination_name}: {incident.message}"
        yield "incidents", name, f"dead letters, {incident.state}", incident.count
    for line in report.integrations:
        yield "integrations", line.name, "received", line.received
        yield "integrations", line.name, "rejected", line.rejected
    for place in report.destinations:
        yield "destinations", place.name, "attempts", place.attempts
        yield "destinations", place.name, "delivered", place.delivered
        yield "destinations", place.name, "dead", place.dead


def _figures(name: str, found: Figures) -> Iterator[_Row]:
    yield "figures", name, "received", found.received
    yield "figures", name, "rejected", found.rejected
    yield "figures", name, "delivered", found.delivered
    yield "figures", name, "dead", found.dead
    yield "figures", name, "delivered share", found.delivered_share
    yield "figures", name, "delivered at the first attempt, share", found.first_attempt_share
    yield "figures", name, "delivered within a minute, share", found.prompt_share
    yield "figures", name, "latency p95", found.p95_milliseconds
