"""The frame of one chart: its title, its data to download, and words where nothing is there."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import altair as alt
import streamlit as st

from lib.analytics.bins import all_bins, bin_start
from lib.analytics.periods import Period
from lib.lists.csv_text import write_csv

HEIGHT = 260
# The theme gives the colours in their order; one series is drawn in the first of them.
DAY_FORMAT, HOUR_FORMAT, FULL_FORMAT = "%d %b", "%H:%M", "%d %b %H:%M"
_HOUR = timedelta(hours=1)
_HOURS_IN_SIGHT, _HOURS_OF_DAILY_TICKS = 48, 8 * 24

Rows = Sequence[dict[str, object]]


@dataclass(frozen=True)
class TimeScale:
    """How durations stand on an axis: `words` is a Vega expression over `datum.value`."""

    ticks: Sequence[int]
    words: str
    height: int


@contextmanager
def panel(name: str, title: str, *, help_text: str, table: Callable[[], Rows]) -> Iterator[None]:
    """Draw a titled frame; the CSV of `table` is written when somebody asks for it."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            # The chart's own toolbar appears on the right, so the button stands by the title.
            st.subheader(title, anchor=False, width="content", help=help_text)
            st.download_button(
                "CSV",
                lambda: _csv_of(table()),
                file_name=f"{name}.csv",
                mime="text/csv",
                key=f"analytics_csv_{name}",
                icon=":material/download:",
                type="tertiary",
                on_click="ignore",
                help="Download the figures of this chart.",
            )
        yield


def draw_empty(text: str) -> None:
    """Say why there is nothing to draw and what would change that."""
    st.info(text, icon=":material/monitoring:")


def draw_chart(chart: alt.Chart | alt.LayerChart, name: str, *, words: str) -> None:
    """Draw a chart that nobody chooses in; `words` tell its content."""
    st.altair_chart(chart, key=f"analytics_{name}", alt=words)


def data_of(rows: Rows) -> alt.Data:
    """Return rows as the data of a chart."""
    return alt.Data(values=list(rows))  # type: ignore[no-untyped-call]  # Altair gives it no types


def time_x(period: Period) -> alt.X:
    """Return the horizontal axis over the whole of a period, whether or not it has data."""
    hours = (period.until - period.since) / _HOUR
    axis = alt.Axis(
        grid=False,
        format=DAY_FORMAT if hours > _HOURS_IN_SIGHT else HOUR_FORMAT,
        tickCount="day" if _HOURS_IN_SIGHT < hours <= _HOURS_OF_DAILY_TICKS else 7,
        labelOverlap=True,
    )
    numbers = all_bins(period)
    ends = [_chart_moment(bin_start(n, period)) for n in (numbers[0], numbers[-1] + 1)]
    return alt.X("start:T", title=None, axis=axis, scale=alt.Scale(domain=ends))


def legend() -> alt.Legend:
    """Return a legend above the chart that a narrow screen does not cut off."""
    return alt.Legend(orient="top", columns=3)


def percentile_chart(rows: Rows, period: Period, scale: TimeScale, *, counted: str) -> alt.Chart:
    """Return a line for each percentile over time, on a scale that shows seconds beside days.

    A row has `start`, `percentile`, `value`, the `words` for it, and the `count` of what was
    measured, which `counted` names.
    """
    chart: alt.Chart = (
        alt.Chart(data_of(rows))
        # A lone hour between two with nothing to measure would otherwise be invisible.
        .mark_line(point=alt.OverlayMarkDef(size=18), interpolate="monotone")
        .encode(
            x=time_x(period),
            y=alt.Y(
                "value:Q",
                title=None,
                scale=alt.Scale(type="log", nice=False),
                axis=alt.Axis(labelExpr=scale.words, values=list(scale.ticks)),
            ),
            color=alt.Color("percentile:N", title=None, legend=legend()),
            tooltip=[
                alt.Tooltip("start:T", title="From", format=FULL_FORMAT),
                alt.Tooltip("percentile:N", title="Percentile"),
                alt.Tooltip("words:N", title="At most"),
                alt.Tooltip("count:Q", title=counted, format=","),
            ],
        )
        .properties(height=scale.height)
    )
    return chart


def _chart_moment(moment: datetime) -> alt.DateTime:
    # A text as an end of the scale is read twice where bars have a second one.
    return alt.DateTime(
        year=moment.year,
        month=moment.month,
        date=moment.day,
        hours=moment.hour,
        minutes=moment.minute,
        utc=True,
    )


def _csv_of(rows: Rows) -> str:
    header = list(rows[0]) if rows else []
    return write_csv(header, [list(row.values()) for row in rows])
