"""How far messages and calls came at the vendor, and how long arrivals and replies took."""

from collections.abc import Sequence
from functools import partial

import altair as alt
import streamlit as st

from lib.analytics.latency import WaitPoint, Waits, waits
from lib.analytics.messages import Failing, Funnel, funnels
from lib.processing.durations import ARRIVAL, REPLY
from lib.ui.analytics.deliveries import share_labels
from lib.ui.analytics.panels import (
    TimeScale,
    data_of,
    draw_chart,
    draw_empty,
    panel,
    percentile_chart,
)
from lib.ui.analytics.view import View
from lib.ui.durations import seconds
from lib.ui.formats import counted, service_label

_TITLES = {ARRIVAL: "Time to arrive", REPLY: "Time to reply"}
_HELP = {
    ARRIVAL: "From the first report about a message to the one that says it was delivered.",
    REPLY: "From a message to a contact to the contact's next one. Who has not answered within "
    "30 days is not counted.",
}
_SCALE = TimeScale(
    ticks=[1, 2, 5, 10, 30, 60, 300, 600, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400, 259_200],
    words="datum.value >= 86400 ? format(datum.value / 86400, '.2~r') + ' d' : "
    "datum.value >= 3600 ? format(datum.value / 3600, '.2~r') + ' h' : "
    "datum.value >= 60 ? format(datum.value / 60, '.2~r') + ' min' : datum.value + ' s'",
    height=200,
)


def draw_funnels(view: View) -> None:
    """Draw a funnel for messages and one for calls, with how the others failed."""
    found = funnels(view.hub, view.actor, view.shown, view.filters)
    if not found:
        with panel("funnel", "Messages", help_text=_NO_REPORTS, table=list):
            draw_empty(_NO_REPORTS)
    for funnel in found:
        name = f"funnel_{funnel.service_name}_{funnel.label}".lower()
        with panel(
            name,
            f"{funnel.label} of {service_label(funnel.service_name)}",
            help_text="How many came at least this far, of all that were reported on. Each counts "
            "in the hour of its first report.",
            table=partial(_stage_table, funnel),
        ):
            _draw_funnel(funnel, name)


def draw_waits(view: View) -> None:
    """Draw how long arrivals and replies took, over all and over time."""
    by_measure = {item.measure: item for item in waits(
        view.hub, view.actor, view.shown, view.filters)}  # fmt: skip
    for measure, title in _TITLES.items():
        item = by_measure.get(measure)
        with panel(
            measure,
            title,
            help_text=_HELP[measure],
            table=partial(_wait_table, item),
        ):
            if item is None:
                draw_empty(_NO_WAITS[measure])
            else:
                _draw_wait(item, view)


def _draw_funnel(funnel: Funnel, name: str) -> None:
    rows: list[dict[str, object]] = [
        {"stage": stage.name.capitalize(), "count": stage.count,
         "words": f"{stage.count:,} · {stage.share:.0%}"}
        for stage in funnel.stages
    ]  # fmt: skip
    top = max(funnel.total, 1)
    base = alt.Chart(data_of(rows)).encode(
        x=alt.X("count:Q", title=None, axis=None, scale=alt.Scale(domain=[0, top * 1.25])),
        y=alt.Y("stage:N", title=None, sort=[str(row["stage"]) for row in rows]),
        tooltip=[
            alt.Tooltip("stage:N", title="Stage"),
            alt.Tooltip("words:N", title="Came so far"),
        ],
    )
    chart = base.mark_bar(height={"band": 0.7}) + share_labels(base)
    words = ", ".join(f"{stage.name} {stage.count:,}" for stage in funnel.stages)
    draw_chart(chart.properties(height=44 * len(rows)), name, words=f"Funnel: {words}.")
    if funnel.failures:
        _draw_failures(funnel.failures, name)


def _draw_failures(failures: Sequence[Failing], name: str) -> None:
    st.dataframe(
        [
            {"state": item.state, "code": item.error_code, "count": item.count,
             "share": item.share, "cause": item.cause}
            for item in failures
        ],
        key=f"analytics_failures_{name}",
        hide_index=True,
        alt=f"Table of {counted(len(failures), 'kind')} of failure, the commonest first.",
        column_config={
            "state": st.column_config.TextColumn("Ended as", width=100),
            "code": st.column_config.TextColumn("Code", width=70),
            "count": st.column_config.NumberColumn("Count", format="localized", width=70),
            "share": st.column_config.NumberColumn("Share", format="percent", width=70),
            "cause": st.column_config.TextColumn("What it means", width="large"),
        },
    )  # fmt: skip


def _draw_wait(item: Waits, view: View) -> None:
    with st.grid(3, min_column_width=90):
        st.metric("Half within", _in_words(item.p50))
        st.metric("95% within", _in_words(item.p95))
        st.metric("Counted", f"{item.count:,}")
    draw_chart(
        _wait_chart(item.points, view),
        item.measure,
        words=f"Lines: {_TITLES[item.measure].lower()}, p50 and p95 over time.",
    )


def _wait_chart(points: Sequence[WaitPoint], view: View) -> alt.Chart:
    rows: list[dict[str, object]] = [
        {
            "start": point.start.isoformat(),
            "percentile": percentile,
            "value": value,
            "words": _in_words(value),
            "count": point.count,
        }
        for point in points
        for percentile, value in (("p50", point.p50), ("p95", point.p95))
    ]
    return percentile_chart(rows, view.shown, _SCALE, counted="Counted")


def _wait_table(item: Waits | None) -> list[dict[str, object]]:
    return [
        {"start": p.start.isoformat(), "count": p.count, "p50_seconds": p.p50,
         "p95_seconds": p.p95}
        for p in (item.points if item else ())
    ]  # fmt: skip


def _stage_table(funnel: Funnel) -> list[dict[str, object]]:
    return [
        {"stage": stage.name, "count": stage.count, "share": stage.share} for stage in funnel.stages
    ]


def _in_words(value: float | None) -> str:
    return "none" if value is None else seconds(value)


_NO_REPORTS = (
    "No status of a message or a call was reported in this time. Set the status callback of your "
    "sender to the integration's address, and each report is counted here."
)
_NO_WAITS = {
    ARRIVAL: "No message was reported as queued and then as delivered in this time.",
    REPLY: "No contact answered a message in this time.",
}
