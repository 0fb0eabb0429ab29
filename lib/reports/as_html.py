"""A report as one page that needs nothing else: no script, no font, no picture from outside.

Every text passes through `escape`; the chart is drawn of numbers alone.
"""

import re
from collections.abc import Iterable, Sequence
from html import escape

from lib.analytics.figures import ATTEMPTS_WITHIN_A_MINUTE, Figures, change
from lib.providers.registry import find_provider
from lib.reports.monthly import Report
from lib.reports.words import cause_in_words, milliseconds, month_in_words, percent

_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1b2133; background: #fff;
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
p { margin: .3rem 0; } .note { color: #525b70; font-size: .9rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem;
  margin: 1.2rem 0; }
.tile { border: 1px solid #d6dbe6; border-radius: .5rem; padding: .7rem .9rem; }
.tile b { display: block; font-size: 1.5rem; } .tile span { color: #525b70; font-size: .85rem; }
table { border-collapse: collapse; width: 100%; } caption { text-align: left; }
th, td { text-align: left; padding: .35rem .5rem; border-bottom: 1px solid #e2e6ee;
  overflow-wrap: anywhere; }
th { color: #4a5268; font-weight: 600; } .number { text-align: right; white-space: nowrap; }
svg { width: 100%; height: auto; } svg rect { fill: #3d4ab8; } svg text { fill: #525b70; }
@media print { body { margin: 0; max-width: none; } h2, tr, svg { break-inside: avoid; } }
"""
_WIDTH, _CHART_HEIGHT, _FOOT, _HEAD = 900, 160, 22, 16
_LABEL_EVERY = 5
_FIGURE = re.compile(r"[\d,.]+(?:%| ms| s)?|none")
_Cells = Sequence[str | int]


def write_html_report(report: Report) -> str:
    """Return the report as a whole HTML document."""
    title = f"Report of {month_in_words(report)}"
    zone = report.period.zone
    until = report.period.until.astimezone(zone)
    body = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(report.scope)}</p>",
        f'<p class="note">Until {until:%d %B %Y %H:%M}, by the clock of {escape(zone.key)}. '
        f"Made on {report.made_at.astimezone(zone):%d %B %Y %H:%M}.</p>",
        _tiles(report),
        "<h2>Events by day</h2>",
        _chart(report),
        *_promise(report),
        *_latency(report),
        *_causes(report),
        *_incidents(report),
        *_integrations(report),
        *_destinations(report),
    ]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}'
        '</title><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head>\n<body>\n" + "\n".join(body) + "\n</body></html>\n"
    )


def _tiles(report: Report) -> str:
    new, old = report.figures, report.before
    tiles = (
        ("Events received", f"{new.received:,}", _trend(new.received, old.received)),
        ("Delivered", percent(new.delivered_share), _earlier(percent(old.delivered_share))),
        (
            "At the first attempt",
            percent(new.first_attempt_share),
            _earlier(percent(old.first_attempt_share)),
        ),
        (
            "Latency, p95",
            milliseconds(new.p95_milliseconds),
            _earlier(milliseconds(old.p95_milliseconds)),
        ),
        ("Dead letters", f"{new.dead:,}", _trend(new.dead, old.dead)),
    )
    drawn = "".join(
        f'<div class="tile"><span>{escape(name)}</span><b>{escape(value)}</b>'
        f"<span>{escape(note)}</span></div>"
        for name, value, note in tiles
    )
    return f'<div class="tiles">{drawn}</div>'


def _chart(report: Report) -> str:
    if not report.figures.received:
        return '<p class="note">Nothing was received in this month.</p>'
    top = max(count for _, count in report.days)
    step = _WIDTH / len(report.days)
    parts = []
    for index, (day, count) in enumerate(report.days):
        height = count / top * _CHART_HEIGHT
        x, y = index * step, _HEAD + _CHART_HEIGHT - height
        parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{step * 0.8:.1f}" height="{height:.1f}" rx="2">'
            f"<title>{day:%d %B}: {count:,}</title></rect>"
        )
        if index % _LABEL_EVERY == 0:
            foot = _HEAD + _CHART_HEIGHT + _FOOT - 4
            parts.append(f'<text x="{x:.1f}" y="{foot}" font-size="13">{day.day}</text>')
    total = _HEAD + _CHART_HEIGHT + _FOOT
    label = f"Bars: events by day, at most {top:,} a day."
    return (
        f'<svg viewBox="0 0 {_WIDTH} {total}" role="img" aria-label="{label}">'
        f'<text x="0" y="11" font-size="13">at most {top:,} a day</text>{"".join(parts)}</svg>'
    )


def _promise(report: Report) -> list[str]:
    def row(name: str, new: float | None, old: float | None) -> _Cells:
        return name, percent(new), percent(old)

    new, old = report.figures, report.before
    return [
        "<h2>Service level</h2>",
        _table(
            ("Share of deliveries", "This month", "Month before"),
            [
                row("Delivered at the first attempt", *_both(new, old, "first_attempt_share")),
                row("Delivered within about a minute", *_both(new, old, "prompt_share")),
                row("Delivered at all", *_both(new, old, "delivered_share")),
            ],
        ),
        f'<p class="note">Within about a minute is by the attempt number '
        f"{ATTEMPTS_WITHIN_A_MINUTE}, which the schedule of retries makes within 42 seconds; a "
        "destination that asks for a longer wait gets it. Shares are of the deliveries that came "
        "to an end, the first of all first attempts.</p>",
    ]


def _latency(report: Report) -> list[str]:
    names = ("Half of the attempts (p50)", "95 of 100 (p95)", "99 of 100 (p99)")
    rows = [
        (name, milliseconds(value)) for name, value in zip(names, report.latencies, strict=True)
    ]
    return ["<h2>Latency of attempts</h2>", _table(("Took no longer", "Time"), rows)]


def _causes(report: Report) -> list[str]:
    rows = [
        (cause_in_words(cause), f"{cause.count:,}", percent(cause.share)) for cause in report.causes
    ]
    header = ("Cause", "Failed attempts", "Share")
    return ["<h2>Causes of failures</h2>", _table(header, rows, empty="No attempt failed.")]


def _incidents(report: Report) -> list[str]:
    found = report.incidents
    rows = [
        (
            item.destination_name,
            item.message,
            item.state,
            f"{item.first_seen_at.astimezone(report.period.zone):%d %B}",
            f"{item.count:,}",
        )
        for item in found.heaviest
    ]
    header = ("Destination", "What went wrong", "State now", "Since", "Dead letters")
    return [
        "<h2>Incidents</h2>",
        f"<p>{found.opened:,} opened and {found.resolved:,} resolved in this month.</p>",
        _table(header, rows, empty="No new cause of dead letters."),
    ]


def _integrations(report: Report) -> list[str]:
    rows = [
        (
            line.name,
            _label(line.service_name),
            f"{line.received:,}",
            f"{line.rejected:,}",
            f"{line.last_hour.astimezone(report.period.zone):%d %B %H:00}"
            if line.last_hour
            else "never",
        )
        for line in report.integrations
    ]
    header = ("Integration", "Service", "Received", "Rejected", "Last event")
    return ["<h2>Integrations</h2>", _table(header, rows, empty="No integration took part.")]


def _destinations(report: Report) -> list[str]:
    rows = [
        (
            line.name,
            f"{line.attempts:,}",
            f"{line.delivered:,}",
            f"{line.dead:,}",
            percent(line.share),
        )
        for line in report.destinations
    ]
    header = ("Destination", "Attempts", "Delivered", "Dead", "Delivered share")
    return ["<h2>Destinations</h2>", _table(header, rows, empty="Nothing was sent.")]


def _table(header: Sequence[str], rows: Iterable[_Cells], *, empty: str = "") -> str:
    """Return a table whose columns of figures stand to the right."""
    found = [[str(cell) for cell in row] for row in rows]
    if not found:
        return f'<p class="note">{escape(empty)}</p>'
    places = [all(map(_FIGURE.fullmatch, column)) for column in zip(*found, strict=True)]
    lines = "".join(_line("td", row, places) for row in found)
    head = _line("th", header, places)
    return f"<table><thead>{head}</thead><tbody>{lines}</tbody></table>"


def _line(tag: str, cells: Sequence[str], places: Sequence[bool]) -> str:
    drawn = (
        f'<{tag} class="number">{escape(cell)}</{tag}>'
        if is_figure
        else f"<{tag}>{escape(cell)}</{tag}>"
        for cell, is_figure in zip(cells, places, strict=True)
    )
    return f"<tr>{''.join(drawn)}</tr>"


def _both(new: Figures, old: Figures, name: str) -> tuple[float | None, float | None]:
    return getattr(new, name), getattr(old, name)


def _trend(new: int, old: int) -> str:
    share = change(new, old)
    return "none in the month before" if share is None else f"{share:+.0%} to the month before"


def _earlier(text: str) -> str:
    return f"month before: {text}"


def _label(slug: str) -> str:
    provider = find_provider(slug)
    return provider.label if provider else slug
