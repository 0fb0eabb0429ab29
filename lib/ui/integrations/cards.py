"""Connections as cards and as a table; takes what was read and queries nothing."""

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.access import Actor, Role
from lib.credentials.ages import find_reminders
from lib.overview import Card
from lib.ui.formats import (
    STATE_BADGES,
    absolute,
    ago,
    counted,
    email,
    plain,
    service_label,
    share_text,
)
from lib.ui.integrations.vendor_account import draw_gauge
from lib.ui.links import draw_link
from lib.ui.marks import draw_mark, mark_uri
from lib.ui.status_words import status_column
from lib.ui.webhooks.destination_words import speed_words

_CARD_WIDTH = 280
Menu = Callable[[Card, DeltaGenerator], None]


def draw_cards(
    shown: Sequence[Card], *, page: str, user: Actor, draw_menu: Menu | None = None
) -> None:
    """Draw one card each, side by side where the window has room; `page` names the screen."""
    grid = st.grid(3, min_column_width=_CARD_WIDTH)
    for card in shown:
        key = f"{page}_card_{card.integration.id}"
        with grid.container(border=True, height="stretch", gap="small", key=key):
            _draw_card(card, user=user)
            row = st.container(horizontal=True, vertical_alignment="center", gap="small")
            with row:
                _draw_ways(card, page=page, user=user)
            if draw_menu is not None:
                draw_menu(card, row)


def draw_table(shown: Sequence[Card], *, page: str, user: Actor) -> Card | None:
    """Draw the connections as rows and return the one that was chosen."""
    hidden = {"owner"} if user.role is not Role.STAFF else set()
    # Under another key nothing is chosen: a place among other rows would mean another one.
    among = zlib.crc32("".join(card.integration.id for card in shown).encode())
    chosen = st.dataframe(
        [_table_row(card) for card in shown],
        key=f"{page}_rows_{among:08x}",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        placeholder="–",
        alt=f"Table of {counted(len(shown), 'integration')}.",
        column_order=[name for name in _COLUMNS if name not in hidden],
        column_config=_COLUMNS,
    )
    rows = chosen.selection.rows
    return shown[rows[0]] if rows else None


def _draw_card(card: Card, *, user: Actor) -> None:
    item = card.integration
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        draw_mark(item.service_name)
        with st.container(gap=None, width="stretch"):
            st.markdown(f"**{plain(item.name)}**")
            owned = f" · {email(item.owner)}" if user.role is Role.STAFF else ""
            st.caption(service_label(item.service_name) + owned)
        draw_state(card)
    st.metric(
        "Events, 24 h",
        f"{card.received:,}",
        chart_data=list(card.hourly_received),
        chart_type="bar",
        help="Each bar is one hour; the last one is the present hour.",
    )
    draw_traffic(card)
    if card.gauge is not None:
        draw_gauge(card.gauge)
    for reminder in find_reminders(item):
        st.caption(f":orange[{reminder.label}: {reminder.days} days old]")


def draw_state(card: Card) -> None:
    """Draw how a connection stands, as a badge."""
    label, colour, icon = STATE_BADGES[card.state]
    st.badge(label, icon=icon, color=colour)  # type: ignore[arg-type]  # a Literal of names


def draw_traffic(card: Card) -> None:
    """Draw in one line when the last event came, how the last day fared, and what is wrong."""
    when = absolute(card.last_event_at) if card.last_event_at else None
    last = f"Last event {ago(card.last_event_at)}" if card.last_event_at else "No event yet"
    st.caption(last + _onwards(card) + _trouble(card), help=when)


def _draw_ways(card: Card, *, page: str, user: Actor) -> None:
    item = card.integration
    if page == "integrations":
        # A link to the page in view would be drawn as the chosen one.
        st.button("Open", key=f"integrations_open_{item.id}", on_click=_open, args=(item.id,))
    elif user.role is not Role.ANALYST:
        draw_link("integrations", "Open", query={"open": item.id}, icon=":material/tune:")
    draw_link("activity", "Activity", query={"integration": item.id}, icon=":material/timeline:")


def _open(integration_id: str) -> None:
    st.query_params["open"] = integration_id


def _onwards(card: Card) -> str:
    share, speed = card.onwards.success_share, card.onwards.p95_milliseconds
    if share is None:
        return ""
    return f" · {share_text(share)} delivered · p95 {speed_words(speed)}"


def _trouble(card: Card) -> str:
    parts = [
        counted(card.failed, "failed event") if card.failed else "",
        f"{card.rejected:,} rejected" if card.rejected else "",
    ]
    return "".join(f" · :red[{part}]" for part in parts if part)


def _table_row(card: Card) -> dict[str, object]:
    item = card.integration
    share = card.onwards.success_share
    dates = item.credentials_set_at.values()
    return {
        "mark": mark_uri(item.service_name),
        "name": item.name,
        "service": service_label(item.service_name),
        "owner": item.owner,
        "state": [STATE_BADGES[card.state][0]],
        "hourly": list(card.hourly_received),
        "received": card.received,
        "last_event": card.last_event_at,
        "success": None if share is None else share_text(share),
        "p95": speed_words(card.onwards.p95_milliseconds),
        "quota": card.gauge.share_left if card.gauge else None,
        "rejected": card.rejected,
        "last_test": item.checked_at,
        "credentials": min(dates, default=None),
        "active": item.is_active,
    }


_COLUMNS: dict[str, Any] = {
    "mark": st.column_config.ImageColumn("", width=44),
    "name": st.column_config.TextColumn("Name", width=180),
    "state": status_column(STATE_BADGES, width=112),
    "hourly": st.column_config.BarChartColumn("Last 24 h", y_min=0, width=120),
    "received": st.column_config.NumberColumn("Events 24 h", width=88),
    "last_event": st.column_config.DatetimeColumn("Last event", format="distance", width=110),
    "success": st.column_config.TextColumn("Success", width=72),
    "p95": st.column_config.TextColumn("p95", width=72),
    "service": st.column_config.TextColumn("Service", width=104),
    "owner": st.column_config.TextColumn("Owner", width=200),
    "quota": st.column_config.ProgressColumn(
        "Calls left",
        format="percent",
        min_value=0,
        max_value=1,
        width=104,
        help="Of the burst or of the day at the vendor, whichever is shorter.",
    ),
    "rejected": st.column_config.NumberColumn("Rejected 24 h", width=96),
    "last_test": st.column_config.DatetimeColumn("Last test", format="distance", width=110),
    "credentials": st.column_config.DatetimeColumn(
        "Credential age", format="distance", width=120, help="Of the oldest one."
    ),
    "active": st.column_config.CheckboxColumn("Active", width=64),
}
