"""The table of destinations: where they lead, how they fare, what waits for them."""

from typing import Any

import streamlit as st

from lib.access import Actor, Role
from lib.hub import Hub
from lib.outgoing.destination_figures import DestinationFigures, destination_overview
from lib.providers.registry import provider_of_target
from lib.ui.formats import counted
from lib.ui.marks import mark_uri
from lib.ui.page_keys import current_cursor
from lib.ui.pager import draw_pager
from lib.ui.status_words import status_column
from lib.ui.webhooks.destination_words import (
    STATE_NAMES,
    STATES,
    kind_label,
    masked_address,
    queue_words,
    rate_words,
    share_words,
    speed_words,
)

OPEN = "open"
_PAGE = "webhooks_destinations"
_NONCE = "webhooks_table_nonce"
_ROWS = 50
# How the circuit breaker stands, where it is not closed.
_BREAKERS = {"open": "open", "half_open": "half open"}


def draw_destinations(hub: Hub, user: Actor) -> None:
    """Draw one page of destinations; a chosen row puts its id into the address."""
    page = destination_overview(hub, user, cursor=current_cursor(_PAGE, ""), limit=_ROWS)
    if not page.rows:
        st.info(
            "No destinations yet. Add the place that your events should go to.",
            icon=":material/outbound:",
        )
        return
    nonce = st.session_state.setdefault(_NONCE, 0)
    chosen = st.dataframe(
        [_table_row(row) for row in page.rows],
        key=f"webhooks_table_{nonce}",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        placeholder="–",
        alt=f"Table of {counted(len(page.rows), 'destination')}.",
        column_order=_order(user),
        column_config=_COLUMNS,
    )
    note = "Choose a row to open it. Success and p95 are those of the last 24 hours."
    draw_pager(_PAGE, page.next_cursor, note=note)
    if chosen.selection.rows:
        st.session_state[_NONCE] += 1
        st.query_params[OPEN] = page.rows[chosen.selection.rows[0]].destination.id
        st.rerun()


def _order(user: Actor) -> list[str]:
    return [name for name in _COLUMNS if name != "owner" or user.role is Role.STAFF]


def _table_row(row: DestinationFigures) -> dict[str, object]:
    item = row.destination
    provider = provider_of_target(item.kind)
    return {
        "mark": mark_uri(provider.slug if provider else ""),
        "name": item.name,
        "owner": item.owner,
        "state": [STATES[row.state][0]],
        "address": masked_address(item),
        "kind": kind_label(item.kind),
        "success": share_words(row),
        "p95": speed_words(row.p95_milliseconds),
        "queued": queue_words(row.queued),
        "breaker": _BREAKERS.get(row.state, "closed"),
        "until": row.blocked_until,
        "next": row.blocked_until or row.next_attempt_at,
        "rate": rate_words(item.limits),
    }


_COLUMNS: dict[str, Any] = {
    "mark": st.column_config.ImageColumn("", width=40),
    "name": st.column_config.TextColumn("Name", width=170),
    "state": status_column(STATE_NAMES.values(), width=104),
    "address": st.column_config.TextColumn("Address", width=170),
    "kind": st.column_config.TextColumn("Kind", width=104),
    "success": st.column_config.TextColumn("Success", width=66),
    "p95": st.column_config.TextColumn("p95", width=66),
    "queued": st.column_config.TextColumn("Queued", width=66),
    "next": st.column_config.DatetimeColumn("Next attempt", format="distance", width=100),
    "breaker": st.column_config.TextColumn("Breaker", width=74),
    "until": st.column_config.DatetimeColumn("Blocked until", format="distance", width=104),
    "owner": st.column_config.TextColumn("Owner", width=190),
    "rate": st.column_config.TextColumn("Rate limit", width=150),
}
