"""The frame of one chart: its title, its data to download, and words where nothing is there."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import altair as alt
import streamlit as st

from lib.csv_text import write_csv

HEIGHT = 260
# The theme gives the colours in their order; one series is drawn in the first of them.
DAY_FORMAT, HOUR_FORMAT, FULL_FORMAT = "%d %b", "%H:%M", "%d %b %H:%M"
_A_DAY = 24

Rows = Sequence[dict[str, object]]


@contextmanager
def panel(name: str, title: str, *, help_text: str, table: Callable[[], Rows]) -> Iterator[None]:
    """Draw a titled frame; the CSV of `table` is written when somebody asks for it."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(title, anchor=False, width="stretch", help=help_text)
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


def time_axis(bin_hours: int, hours: float) -> alt.Axis:
    """Return an axis of days, or of hours where the whole is at most two days."""
    is_long = bin_hours >= _A_DAY or hours > 2 * _A_DAY
    return alt.Axis(
        grid=False,
        format=DAY_FORMAT if is_long else HOUR_FORMAT,
        tickCount=7,
        labelOverlap=True,
    )


def _csv_of(rows: Rows) -> str:
    header = list(rows[0]) if rows else []
    return write_csv(header, [list(row.values()) for row in rows])
