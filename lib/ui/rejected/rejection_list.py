"""Refused requests as a table; a chosen row opens the drawer that finds out why."""

from typing import Any

import streamlit as st

from lib.access import Actor
from lib.hub import Hub
from lib.intake.rejections import Rejection, RejectionFilters, list_rejections
from lib.ui.formats import counted, exact_column, service_label
from lib.ui.page_keys import current_cursor
from lib.ui.pager import draw_pager
from lib.ui.rejected.doctor import open_examination
from lib.ui.rejected.rejection_filters import ADDRESS

_PAGE = 50
_NONCE = "rejected_table_nonce"


def draw_rejections(hub: Hub, user: Actor, filters: RejectionFilters) -> None:
    """Draw one page of refused requests, newest first."""
    cursor = current_cursor("rejected", str(ADDRESS.current()))
    page = list_rejections(hub, user, filters, cursor=cursor, limit=_PAGE)
    if not page.rows:
        said = "No request was refused."
        if ADDRESS.current():
            said = "No refused request matches. Empty a filter to see more."
        st.success(said, icon=":material/check_circle:")
        return
    nonce = st.session_state.setdefault(_NONCE, 0)
    chosen = st.dataframe(
        [_table_row(row) for row in page.rows],
        key=f"rejected_table_{nonce}",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        placeholder="",
        alt=f"Table of {counted(len(page.rows), 'refused request')}, newest first.",
        column_config={**_COLUMNS, "at": exact_column()},
    )
    if chosen.selection.rows:
        # A table under a new key has nothing selected, so the drawer does not open again.
        st.session_state[_NONCE] += 1
        open_examination(page.rows[chosen.selection.rows[0]].id)
        st.rerun()
    draw_pager(
        "rejected",
        page.next_cursor,
        note=f"{len(page.rows)} on this page. Choose a row to find out why, and what mends it.",
    )


def _table_row(row: Rejection) -> dict[str, object]:
    return {
        "created_at": row.created_at,
        "reason": row.reason.replace("_", " ").capitalize(),
        "service": service_label(row.service_name),
        "integration": row.integration_name,
        "message": row.message,
        "answered": row.response_code,
        "from": row.source_ip,
        "not_kept": row.not_kept or None,
        "at": row.created_at,
    }


_COLUMNS: dict[str, Any] = {
    "created_at": st.column_config.DatetimeColumn("Time", format="distance", width=112),
    "reason": st.column_config.TextColumn("Reason", width=124),
    "service": st.column_config.TextColumn("Service", width=96),
    "integration": st.column_config.TextColumn("Integration", width=180),
    "message": st.column_config.TextColumn("In words", width=330),
    "answered": st.column_config.NumberColumn("Answered", format="%d", width=80),
    "from": st.column_config.TextColumn("From", width=116),
    "not_kept": st.column_config.NumberColumn(
        "More", width=70, help="So many more like it came and were not kept."
    ),
}
