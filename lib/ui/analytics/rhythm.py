"""When events come in: the week as a heat map, and integrations that have gone quiet."""

from collections.abc import Sequence

import altair as alt
import streamlit as st

from lib.analytics.silence import Silence, silent_integrations
from lib.analytics.volume import HeatCell, heat_map
from lib.ui.analytics.panels import data_of, draw_chart, draw_empty, panel
from lib.ui.analytics.view import View
from lib.ui.durations import seconds
from lib.ui.formats import counted, service_label

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def draw_heat_map(view: View) -> None:
    """Draw the received events by weekday and hour of the viewer's zone."""
    cells = heat_map(view.hub, view.actor, view.shown, view.filters)
    with panel(
        "heat_map",
        "Hours of the week",
        help_text=f"When events come in, by the clock of {view.shown.zone.key}.",
        table=lambda: [
            {"weekday": _DAYS[c.weekday], "hour": c.hour, "events": c.count} for c in cells
        ],
    ):
        if not cells:
            draw_empty("Nothing was received in this time, so there is no rhythm to show.")
            return
        top = max(cells, key=lambda cell: cell.count)
        draw_chart(
            _heat_chart(cells),
            "heat_map",
            words=f"Heat map of hours and weekdays; the most come on {_DAYS[top.weekday]} at "
            f"{top.hour}:00.",
        )


def draw_silences(view: View) -> None:
    """Draw what has been quiet for longer than ever before, as it is now."""
    found = silent_integrations(view.hub, view.actor, view.filters)
    with panel(
        "silences",
        "Silent integrations",
        help_text="Integrations that have been quiet for longer than any pause of theirs in the "
        "last 35 days. This is about now, whatever the period.",
        table=lambda: [_table_row(item) for item in found],
    ):
        if not found:
            draw_empty("No integration is quiet for longer than usual.")
            return
        st.dataframe(
            [_table_row(item) for item in found],
            key="analytics_silences",
            hide_index=True,
            alt=f"Table of {counted(len(found), 'silent integration')}, the longest first.",
            column_config={
                "integration": st.column_config.TextColumn("Integration", width="medium"),
                "service": st.column_config.TextColumn("Service", width=110),
                "last": st.column_config.DatetimeColumn("Last event", format="distance"),
                "quiet_for": st.column_config.TextColumn("Quiet for", width=100),
                "usual": st.column_config.TextColumn("Longest pause before", width=150),
            },
        )


def _heat_chart(cells: Sequence[HeatCell]) -> alt.Chart:
    rows: list[dict[str, object]] = [
        {"day": _DAYS[cell.weekday], "hour": cell.hour, "events": cell.count} for cell in cells
    ]
    chart: alt.Chart = (
        alt.Chart(data_of(rows))
        .mark_rect(cornerRadius=2)
        .encode(
            x=alt.X("hour:O", title=None, axis=alt.Axis(labelAngle=0, values=[0, 6, 12, 18])),
            y=alt.Y("day:O", title=None, sort=list(_DAYS), axis=alt.Axis(labelOverlap=False)),
            color=alt.Color("events:Q", title="Events", legend=alt.Legend(orient="bottom")),
            tooltip=[
                alt.Tooltip("day:N", title="Day"),
                alt.Tooltip("hour:O", title="Hour"),
                alt.Tooltip("events:Q", title="Events", format=","),
            ],
        )
        .properties(height=260)
    )
    return chart


def _table_row(item: Silence) -> dict[str, object]:
    return {
        "integration": item.name,
        "service": service_label(item.service_name),
        "last": item.last_hour,
        "quiet_for": seconds(item.quiet_for.total_seconds()),
        "usual": seconds(item.longest_pause.total_seconds()),
    }
