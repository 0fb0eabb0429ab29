"""The newest events of one connection, with the way to all of them."""

import streamlit as st

from lib.access import Actor
from lib.connections.integrations import Integration
from lib.events.figures import figures_of, subjects_of
from lib.events.reading import EventFilters, list_events
from lib.hub import Hub
from lib.ui.activity.event_columns import column_config, table_row
from lib.ui.formats import counted
from lib.ui.links import draw_link, turn_to

_ROWS = 20
_COLUMNS = ("created_at", "status", "event_type", "subject", "summary", "arrived", "answer")


def draw_recent_events(hub: Hub, user: Actor, item: Integration) -> None:
    """Draw the last twenty events; a chosen one opens in Activity."""
    rows = list_events(hub, user, EventFilters(integration_id=item.id), limit=_ROWS).rows
    if not rows:
        st.info("No event came yet. The steps under Overview say how the first one comes.")
        return
    ids = [row.id for row in rows]
    figures, subjects = figures_of(hub, user, ids), subjects_of(hub, user, ids)
    chosen = st.dataframe(
        [table_row(row, figures.get(row.id), subjects.get(row.id, "")) for row in rows],
        key="integrations_events",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        column_order=_COLUMNS,
        alt=f"Table of {counted(len(rows), 'event')} of this integration, newest first.",
        column_config=column_config(),
    )
    draw_link(
        "activity",
        "All events of this integration",
        query={"integration": item.id},
        icon=":material/timeline:",
    )
    if chosen.selection.rows:
        turn_to("activity", {"integration": item.id, "event": ids[chosen.selection.rows[0]]})
