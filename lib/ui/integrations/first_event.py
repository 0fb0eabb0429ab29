"""Waiting for the first real event, live."""

import streamlit as st

from lib.access import Actor
from lib.events.reading import EventFilters, list_events
from lib.hub import Hub
from lib.ui.formats import absolute, ago, plain, status_chip
from lib.ui.links import draw_link


@st.fragment(run_every=2)
def await_first_event(hub: Hub, user: Actor, *, integration_id: str | None) -> None:
    """Show the newest event of one connection, or of all; until there is one, keep looking."""
    page = list_events(hub, user, EventFilters(integration_id=integration_id), limit=1)
    if not page.rows:
        st.info("Waiting for the first event…", icon=":material/hourglass_top:")
        return
    row = page.rows[0]
    st.success(
        f"**{plain(row.event_type)}** · {plain(row.summary)} · {ago(row.created_at)}",
        icon=":material/check_circle:",
    )
    st.markdown(f"Its status is {status_chip(row.status)}", help=absolute(row.created_at))
    draw_link("activity", "Open it", query={"event": row.id}, icon=":material/open_in_new:")
