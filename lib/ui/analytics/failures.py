"""Why attempts failed and where: causes by weight, and the worst destinations."""

from collections.abc import Sequence

import altair as alt
import streamlit as st

from lib.analytics.deliveries import Cause, FailingDestination, causes, failing_destinations
from lib.ui.analytics.panels import data_of, draw_chart, draw_empty, panel
from lib.ui.analytics.view import View, dead_query
from lib.ui.deliveries.delivery_formats import ERROR_WORDS
from lib.ui.formats import counted
from lib.ui.links import draw_link

_ROW_HEIGHT = 34


def draw_causes(view: View) -> None:
    """Draw the causes of failed attempts, the commonest first, with their sum so far."""
    found = causes(view.hub, view.actor, view.shown, view.filters)
    with panel(
        "causes",
        "Causes of failures",
        help_text="The share of each cause in all failed attempts; the line is the share of it "
        "and all above. Mending the first few often mends most.",
        table=lambda: [
            {"cause": c.error_class, "status": c.response_status, "failures": c.count,
             "share": c.share, "cumulative_share": c.cumulative_share}
            for c in found
        ],
    ):  # fmt: skip
        if not found:
            draw_empty("No attempt failed in this time.")
            return
        draw_chart(
            _cause_chart(found),
            "causes",
            words=f"Bars: {counted(sum(c.count for c in found), 'failed attempt')} by cause; "
            f"the commonest is {_say(found[0])} with {found[0].share:.0%}.",
        )
        draw_link(
            "deliveries",
            "Open dead deliveries",
            query=dead_query(view),
            icon=":material/open_in_new:",
        )


def draw_destinations(view: View) -> None:
    """Draw the destinations with the most failed attempts as a table with links."""
    found = failing_destinations(view.hub, view.actor, view.shown, view.filters)
    with panel(
        "destinations",
        "Failing destinations",
        help_text="The destinations with the most failed attempts.",
        table=lambda: [_table_row(item) for item in found],
    ):
        if not found:
            draw_empty("No destination failed in this time.")
            return
        st.dataframe(
            [_table_row(item) for item in found],
            key="analytics_destinations",
            hide_index=True,
            alt=f"Table of {counted(len(found), 'destination')}, the worst first.",
            column_config={
                "destination": st.column_config.TextColumn("Destination", width="medium"),
                "failures": st.column_config.NumberColumn("Failed", format="localized", width=80),
                "share": st.column_config.ProgressColumn(
                    "Of its attempts", format="percent", min_value=0, max_value=1, width=140
                ),
                "dead": st.column_config.NumberColumn("Dead", format="localized", width=70),
                "deliveries": st.column_config.LinkColumn(
                    "Deliveries", display_text="Open", width=90
                ),
            },
        )


def _cause_chart(found: Sequence[Cause]) -> alt.LayerChart:
    rows: list[dict[str, object]] = [
        {
            "cause": _say(cause),
            "failures": cause.count,
            "share": cause.share,
            "so_far": cause.cumulative_share,
        }
        for cause in found
    ]
    names = [str(row["cause"]) for row in rows]
    tooltip = [
        alt.Tooltip("cause:N", title="Cause"),
        alt.Tooltip("failures:Q", title="Failed attempts", format=","),
        alt.Tooltip("share:Q", title="Share", format=".1%"),
        alt.Tooltip("so_far:Q", title="With those above", format=".1%"),
    ]
    base = alt.Chart(data_of(rows)).encode(
        y=alt.Y("cause:N", title=None, sort=names, axis=alt.Axis(labelLimit=190)),
        tooltip=tooltip,
    )
    axis = alt.Axis(format="%", tickCount=5)
    bars = base.mark_bar(height={"band": 0.7}).encode(
        x=alt.X("share:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=axis)
    )
    line = base.mark_line(point=True, color="#D9822B", strokeWidth=2).encode(
        x="so_far:Q", order="so_far:Q"
    )
    chart: alt.LayerChart = bars + line
    return chart.properties(height=max(140, _ROW_HEIGHT * len(rows)))


def _say(cause: Cause) -> str:
    words = ERROR_WORDS.get(cause.error_class, cause.error_class)
    status = str(cause.response_status or "")
    if not status or status in words:
        return words
    return f"{words.partition(' (')[0]} ({status})"


def _table_row(item: FailingDestination) -> dict[str, object]:
    return {
        "destination": item.name,
        "failures": item.failures,
        "share": item.share,
        "dead": item.dead,
        "deliveries": f"/deliveries?destination={item.destination_id}",
    }
