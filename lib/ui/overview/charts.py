"""The volume of events as a stacked chart; takes counted points and queries nothing."""

from collections.abc import Sequence
from datetime import timedelta

import altair as alt
import streamlit as st

from lib.overview import VolumePoint
from lib.ui.formats import counted, service_label

_HEIGHT = 260
_WEEK_HOURS = 168


def draw_volume(points: Sequence[VolumePoint], *, hours: int) -> None:
    """Draw the received events as bars by hour, or by six hours on a week."""
    width = 6 if hours >= _WEEK_HOURS else 1
    rows = _by_bar([point for point in points if point.outcome == "received"], width)
    if not rows:
        st.caption("No events in this period.")
        return
    data = alt.Data(values=rows)  # type: ignore[no-untyped-call]  # Altair gives it no types
    dates = "%d %b" if hours >= _WEEK_HOURS else "%H:%M"
    chart = (
        alt.Chart(data)
        .mark_bar()
        .encode(
            x=alt.X("start:T", title=None, axis=alt.Axis(grid=False, tickCount=8, format=dates)),
            x2="end:T",
            y=alt.Y("sum(events):Q", title="Events", axis=alt.Axis(tickMinStep=1, tickCount=5)),
            color=alt.Color("service:N", title=None, legend=alt.Legend(orient="top")),
            tooltip=[
                alt.Tooltip("start:T", title="From", format="%d %b %H:%M"),
                alt.Tooltip("service:N", title="Service"),
                alt.Tooltip("sum(events):Q", title="Events"),
            ],
        )
    )
    total = sum(point.count for point in points if point.outcome == "received")
    st.altair_chart(
        chart.properties(height=_HEIGHT),
        key=f"overview_volume_{hours}",
        alt=f"Stacked bars: {counted(total, 'event')} received in the last {hours} hours, "
        "by service.",
    )


def _by_bar(points: Sequence[VolumePoint], width: int) -> list[dict[str, str | int]]:
    bars: dict[tuple[str, str, str], int] = {}
    for point in points:
        start = point.hour - timedelta(hours=point.hour.hour % width)
        # Bars end a little early, so that neighbours stay apart.
        end = start + timedelta(hours=width) * 0.9
        bar = (start.isoformat(), end.isoformat(), service_label(point.service_name))
        bars[bar] = bars.get(bar, 0) + point.count
    return [
        {"start": start, "end": end, "service": service, "events": count}
        for (start, end, service), count in sorted(bars.items())
    ]
