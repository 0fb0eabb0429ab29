"""Connections as cards and as a table; takes what was read and queries nothing."""

from collections.abc import Sequence

import streamlit as st

from lib.access import Actor, Role
from lib.credential_ages import find_reminders
from lib.overview import Card
from lib.ui.formats import STATE_BADGES, absolute, ago, counted, plain, service_chip, service_label
from lib.ui.links import draw_link
from lib.ui.vendor_account import draw_gauge

_CARD_WIDTH = 250


def draw_cards(shown: Sequence[Card], *, page: str, user: Actor) -> None:
    """Draw one card each, side by side where the window has room; `page` names the screen."""
    grid = st.grid(3, min_column_width=_CARD_WIDTH, gap="medium")
    for card in shown:
        with grid.container(
            border=True, height="stretch", key=f"{page}_card_{card.integration.id}"
        ):
            _draw_card(card, page=page, user=user)


def draw_table(shown: Sequence[Card]) -> str | None:
    """Draw the connections as rows and return the id of the one that was chosen."""
    chosen = st.dataframe(
        [_table_row(card) for card in shown],
        key="integrations_table",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        alt=f"Table of {counted(len(shown), 'integration')}.",
        column_config={
            "service": "Service",
            "name": "Name",
            "owner": "Owner",
            "state": "Status",
            "last_event": st.column_config.DatetimeColumn("Last event", format="distance"),
            "last_test": st.column_config.DatetimeColumn("Last test", format="distance"),
            "hourly": st.column_config.BarChartColumn("Last 24 h", y_min=0),
            "received": st.column_config.NumberColumn("Events 24 h"),
            "rejected": st.column_config.NumberColumn("Rejected 24 h"),
        },
    )
    rows = chosen.selection.rows
    return shown[rows[0]].integration.id if rows else None


def _draw_card(card: Card, *, page: str, user: Actor) -> None:
    item = card.integration
    label, colour, icon = STATE_BADGES[card.state]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(service_chip(item.service_name), width="content")
        st.badge(label, icon=icon, color=colour)  # type: ignore[arg-type]  # a Literal of names
    st.markdown(f"**{plain(item.name)}**")
    if user.role is Role.STAFF:
        st.caption(plain(item.owner))
    st.metric(
        "Events in 24 h",
        card.received,
        chart_data=list(card.hourly_received),
        chart_type="bar",
        help="Each bar is one hour; the last one is the present hour.",
    )
    when = absolute(card.last_event_at) if card.last_event_at else None
    last = f"Last event {ago(card.last_event_at)}" if card.last_event_at else "No event yet"
    st.caption(last + _trouble(card), help=when)
    if card.gauge is not None:
        draw_gauge(card.gauge)
    for reminder in find_reminders(item):
        st.caption(f":orange[{reminder.label}: {reminder.days} days old]")
    with st.container(horizontal=True):
        if page == "integrations":
            # A link to the page in view would be drawn as the chosen one.
            st.button("Open", key=f"integrations_open_{item.id}", on_click=_open, args=(item.id,))
        elif user.role is not Role.ANALYST:
            draw_link("integrations", "Open", query={"open": item.id})
        draw_link("activity", "Activity", query={"integration": item.id})


def _open(integration_id: str) -> None:
    st.query_params["open"] = integration_id


def _trouble(card: Card) -> str:
    parts = [
        counted(card.failed, "failed event") if card.failed else "",
        f"{card.rejected:,} rejected" if card.rejected else "",
    ]
    return "".join(f" · :red[{part}]" for part in parts if part)


def _table_row(card: Card) -> dict[str, object]:
    item = card.integration
    return {
        "service": service_label(item.service_name),
        "name": item.name,
        "owner": item.owner,
        "state": STATE_BADGES[card.state][0],
        "last_event": card.last_event_at,
        "last_test": item.checked_at,
        "hourly": list(card.hourly_received),
        "received": card.received,
        "rejected": card.rejected,
    }
