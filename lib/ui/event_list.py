"""The table of events with its paging and its live mode."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from lib.access import Actor
from lib.events import EventFilters, EventRow, list_events
from lib.hub import Hub
from lib.outgoing.deliveries import Progress, progress_of_events
from lib.ui.event_detail import PARAMETER
from lib.ui.event_filters import clear_filters, describe
from lib.ui.formats import STATUS_LABELS, counted, service_label
from lib.ui.links import draw_link
from lib.ui.page_keys import current_cursor
from lib.ui.pager import draw_pager

PAGE = 50
_NONCE = "activity_table_nonce"


def draw_list(hub: Hub, user: Actor, filters: EventFilters) -> None:
    """Draw one page of events; a chosen row puts its id into the address."""
    signature = describe(filters)
    period = st.session_state.get("range")
    cursor = current_cursor("activity", f"{signature} {filters.integration_id} {period}")
    page = list_events(hub, user, filters, cursor=cursor, limit=PAGE)
    if not page.rows:
        _draw_empty(signature)
        return
    nonce = st.session_state.setdefault(_NONCE, 0)
    progress = progress_of_events(hub, user, [row.id for row in page.rows])
    chosen = st.dataframe(
        [_table_row(row, progress.get(row.id)) for row in page.rows],
        key=f"activity_table_{nonce}",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        height=560,
        alt=f"Table of {counted(len(page.rows), 'event')}, newest first.",
        column_config=_COLUMNS,
    )
    note = f"{counted(len(page.rows), 'event')} on this page. Choose a row to open it."
    draw_pager("activity", page.next_cursor, note=note)
    if chosen.selection.rows:
        _open(page.rows, chosen.selection.rows[0])


def _open(rows: Sequence[EventRow], index: int) -> None:
    # A table under a new key has nothing selected, so the drawer does not open again by itself.
    st.session_state[_NONCE] += 1
    st.query_params[PARAMETER] = rows[index].id
    st.rerun()


def _draw_empty(signature: str) -> None:
    if signature:
        st.info(f"No event matches {signature}.", icon=":material/filter_alt_off:")
        st.button("Clear the filters", key="activity_clear", on_click=clear_filters)
        return
    st.info("No events yet. They appear here as soon as a provider sends one.")
    draw_link("integrations", "Open your integrations", icon=":material/hub:")


def _table_row(row: EventRow, progress: Progress | None) -> dict[str, object]:
    return {
        "created_at": row.created_at,
        "status": [STATUS_LABELS.get(row.status, row.status)],
        "service": service_label(row.service_name),
        "event_type": row.event_type,
        "summary": row.summary,
        "deliveries": _say(progress) if progress else "",
        "integration": row.integration_name,
        "id": row.id,
    }


def _say(progress: Progress) -> str:
    dead = f", {progress.dead} dead" if progress.dead else ""
    return f"{progress.succeeded} of {progress.total}{dead}"


_COLUMNS: dict[str, Any] = {
    "created_at": st.column_config.DatetimeColumn("Time", format="distance", width=112),
    "status": st.column_config.MultiselectColumn(
        "Status",
        options=list(STATUS_LABELS.values()),
        color=["orange", "green", "red"],
        width=92,
    ),
    "service": st.column_config.TextColumn("Service", width=100),
    "event_type": st.column_config.TextColumn("Type", width=140),
    "summary": st.column_config.TextColumn("Summary", width=250),
    "deliveries": st.column_config.TextColumn(
        "Delivered", width=110, help="How many of its deliveries have arrived."
    ),
    "integration": st.column_config.TextColumn("Integration", width=120),
    "id": st.column_config.TextColumn("Id", width="medium"),
}
