"""Charts of deliveries: how they ended, how long attempts took, how many were needed."""

from collections.abc import Sequence

import altair as alt

from lib.analytics.deliveries import AttemptsNeeded, attempts_needed
from lib.analytics.latency import LatencyPoint, latency
from lib.analytics.volume import OUTCOMES, OutcomePoint, outcomes
from lib.ui.analytics.panels import (
    FULL_FORMAT,
    HEIGHT,
    TimeScale,
    data_of,
    draw_chart,
    draw_empty,
    legend,
    panel,
    percentile_chart,
    time_x,
)
from lib.ui.analytics.view import View
from lib.ui.durations import milliseconds
from lib.ui.formats import counted
from lib.ui.status_words import labels_of

_LABELS = labels_of(("delivered", "accepted", "retrying", "dead", "rejected"))
_SCALE = TimeScale(
    ticks=[first * 10**power for power in range(6) for first in (1, 2, 5)],
    words="datum.value >= 1000 ? format(datum.value / 1000, '~r') + ' s' : datum.value + ' ms'",
    height=HEIGHT,
)
_LAST_COUNTED = 10


def draw_outcomes(view: View) -> None:
    """Draw how attempts ended and what was rejected, bar by bar."""
    points = outcomes(view.hub, view.actor, view.shown, view.filters)
    with panel(
        "outcomes",
        "Outcomes",
        help_text="Every attempt by how it ended. Accepted means that the other side took it and "
        "nothing proves more; rejected are requests to the hub that did not prove who sent them.",
        table=lambda: [
            {"start": p.start.isoformat(), "outcome": p.outcome, "count": p.count} for p in points
        ],
    ):
        if not points:
            draw_empty("Nothing was sent or rejected. Deliveries begin with a route to somewhere.")
            return
        total = sum(point.count for point in points)
        draw_chart(
            _outcome_chart(points, view),
            "outcomes",
            words=f"Stacked bars: {counted(total, 'outcome')} by kind over time.",
        )


def draw_latency(view: View) -> None:
    """Draw p50, p95 and p99 of the attempts over time."""
    points = latency(view.hub, view.actor, view.shown, view.filters)
    with panel(
        "latency",
        "Latency",
        help_text="Half of the attempts took no longer than p50, 95 of 100 no longer than p95. "
        "From histograms that are merged, so a bound is at most a fifth too high.",
        table=lambda: [
            {"start": p.start.isoformat(), "attempts": p.attempts, "p50_ms": p.p50,
             "p95_ms": p.p95, "p99_ms": p.p99}
            for p in points
        ],
    ):  # fmt: skip
        if not points:
            draw_empty("No attempt was made in this time, so there is nothing to measure.")
            return
        draw_chart(
            _latency_chart(points, view),
            "latency",
            words="Lines: the p50, p95 and p99 of the attempts' durations over time.",
        )


def draw_attempts(view: View) -> None:
    """Draw with which attempt deliveries arrived."""
    found = attempts_needed(view.hub, view.actor, view.shown, view.filters)
    with panel(
        "attempts",
        "Attempts needed",
        help_text="With which attempt deliveries arrived. Those after the first are retries that "
        "paid off.",
        table=lambda: [
            {"attempt": a.attempt, "deliveries": a.count, "share": a.share} for a in found
        ],
    ):
        if not found:
            draw_empty("Nothing arrived anywhere in this time.")
            return
        draw_chart(
            _attempts_chart(found),
            "attempts",
            words=f"Bars: {found[0].share:.0%} of the deliveries arrived at the first attempt.",
        )


def _outcome_chart(points: Sequence[OutcomePoint], view: View) -> alt.Chart:
    rows: list[dict[str, object]] = [
        {
            "start": point.start.isoformat(),
            "end": (point.start + (point.end - point.start) * 0.9).isoformat(),
            "outcome": _LABELS.get(point.outcome, point.outcome),
            "order": OUTCOMES.index(point.outcome) if point.outcome in OUTCOMES else 9,
            "count": point.count,
        }
        for point in points
    ]
    chart: alt.Chart = (
        alt.Chart(data_of(rows))
        .mark_bar()
        .encode(
            x=time_x(view.shown),
            x2="end:T",
            y=alt.Y("sum(count):Q", title="Attempts", axis=alt.Axis(tickMinStep=1, tickCount=5)),
            color=alt.Color(
                "outcome:N",
                title=None,
                sort=list(_LABELS.values()),
                scale=alt.Scale(domain=list(_LABELS.values())),
                legend=legend(),
            ),
            order="order:Q",
            tooltip=[
                alt.Tooltip("start:T", title="From", format=FULL_FORMAT),
                alt.Tooltip("outcome:N", title="Outcome"),
                alt.Tooltip("sum(count):Q", title="Count", format=","),
            ],
        )
        .properties(height=HEIGHT)
    )
    return chart


def _latency_chart(points: Sequence[LatencyPoint], view: View) -> alt.Chart:
    rows: list[dict[str, object]] = [
        {
            "start": point.start.isoformat(),
            "percentile": percentile,
            "value": value,
            "words": "none" if value is None else milliseconds(value),
            "count": point.attempts,
        }
        for point in points
        for percentile, value in (("p50", point.p50), ("p95", point.p95), ("p99", point.p99))
    ]
    return percentile_chart(rows, view.shown, _SCALE, counted="Attempts")


def _attempts_chart(found: Sequence[AttemptsNeeded]) -> alt.LayerChart:
    rows: list[dict[str, object]] = [
        {
            "attempt": f"{item.attempt} or later" if item.attempt == _LAST_COUNTED
            else str(item.attempt),
            "deliveries": item.count,
            "words": f"{item.share:.1%}" if item.count else "",
        }
        for item in found
    ]  # fmt: skip
    base = alt.Chart(data_of(rows)).encode(
        x=alt.X("deliveries:Q", title="Deliveries", axis=alt.Axis(tickMinStep=1, tickCount=4)),
        y=alt.Y("attempt:O", title="Attempt", sort=[str(row["attempt"]) for row in rows]),
    )
    tooltip = [
        alt.Tooltip("attempt:N", title="Attempt"),
        alt.Tooltip("deliveries:Q", title="Deliveries", format=","),
        alt.Tooltip("words:N", title="Share"),
    ]
    bars = base.mark_bar(height={"band": 0.7}).encode(tooltip=tooltip)
    chart: alt.LayerChart = bars + share_labels(base)
    return chart.properties(height=max(120, 34 * len(rows)))


def share_labels(base: alt.Chart) -> alt.Chart:
    """Return the field `words` written behind the bars of a chart, in grey on both themes."""
    texts: alt.Chart = base.mark_text(align="left", dx=6, color="#7C879C").encode(text="words:N")
    return texts
