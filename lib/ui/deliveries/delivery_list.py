"""Deliveries by filter as a table, and the replay of chosen ones or of all that match."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from lib.access import Actor
from lib.hub import Hub
from lib.lists.addressed_filters import delivery_filters
from lib.outgoing.deliveries import list_deliveries
from lib.outgoing.delivery_filters import STATUSES, DeliveryFilters
from lib.outgoing.delivery_views import DeliveryRow
from lib.ui.activity.bulk_dialog import begin_cancelling, draw_bulk
from lib.ui.address_choice import choose_named
from lib.ui.address_fields import kept, number, some_of, text
from lib.ui.deliveries.delivery_formats import (
    DELIVERY_COLOURS,
    DELIVERY_LABELS,
    ERROR_WORDS,
    error_words,
    told_apart,
)
from lib.ui.deliveries.replay_dialog import draw_replay_dialog
from lib.ui.filter_chips import Chip, draw_chips
from lib.ui.formats import counted, exact_column, service_label
from lib.ui.links import draw_link
from lib.ui.list_address import TIMES, ListAddress
from lib.ui.page_keys import current_cursor
from lib.ui.pager import draw_pager
from lib.ui.time_filter import draw_time_filter, say_moment

_PAGE = 50
ADDRESS = ListAddress(
    "deliveries", span="made", others=("answer", "attempts", "status", "destination", "error")
)
_LABELS = {
    "made": "last",
    "answer": "answer",
    "attempts": "tries from",
    "status": "status",
    "destination": "destination",
    "error": "error",
    "since": "from",
    "until": "to",
}


def draw_delivery_filters(destinations: Mapping[str, str]) -> DeliveryFilters:
    """Draw the filters, which the address keeps, and return what they ask for."""
    places = told_apart(destinations)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        draw_time_filter(ADDRESS)
        st.text_input(
            "Answer", placeholder="404 or 5xx", width=130, **kept("deliveries", "answer", text)
        )
        st.number_input(
            "Tries, at least",
            1,
            20,
            value=None,
            step=1,
            width=130,
            placeholder="1",
            **kept("deliveries", "attempts", number(1, 20)),
        )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        statuses = {status: DELIVERY_LABELS[status] for status in STATUSES}
        for label, names, parameter, width in (
            ("Status", statuses, "status", 170),
            ("Error", ERROR_WORDS, "error", 170),
            ("Destination", places, "destination", 260),
        ):
            choose_named(label, names, page="deliveries", parameter=parameter, width=width)
    query = ADDRESS.current()
    words = {"status": statuses, "destination": places, "error": ERROR_WORDS}
    draw_chips("deliveries", _chips(query, words), clear_all=ADDRESS.clear)
    return delivery_filters(query)


def draw_delivery_columns() -> list[str]:
    """Draw the choice of columns, which the address keeps, and return their names in order."""
    with st.popover("Columns", icon=":material/view_column:", type="tertiary"):
        chosen = st.multiselect(
            "Columns",
            list(_NAMES),
            **kept("deliveries", "shown", some_of(_NAMES), empty=list(_USUAL)),
        )
    return [*_ALWAYS, *(_NAMES[name] for name in chosen)]


def _chips(query: Mapping[str, str], words: Mapping[str, Mapping[str, str]]) -> list[Chip]:
    said = {
        name: say_moment(name, value) if name in TIMES else words.get(name, {}).get(value, value)
        for name, value in query.items()
    }
    return [
        Chip(name, f"{_LABELS[name]}: {value}", ADDRESS.clear_one) for name, value in said.items()
    ]


def draw_delivery_list(
    hub: Hub, user: Actor, filters: DeliveryFilters, *, columns: Sequence[str]
) -> None:
    """Draw one page of deliveries with the ways to replay and to cancel them."""
    cursor = current_cursor("deliveries", str(ADDRESS.current()))
    page = list_deliveries(hub, user, filters, cursor=cursor, limit=_PAGE)
    if not page.rows:
        _draw_empty(is_narrowed=filters != DeliveryFilters())
        return
    chosen = st.dataframe(
        [_table_row(row) for row in page.rows],
        key=f"deliveries_table_{_fingerprint(page.rows)}",
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        height=520,
        placeholder="",
        alt=f"Table of {counted(len(page.rows), 'row')} of deliveries, newest first.",
        column_order=list(columns),
        column_config={**_COLUMNS, "at": exact_column()},
    )
    places = [place for place in chosen.selection.rows if place < len(page.rows)]
    _draw_actions(hub, user, filters, chosen=[page.rows[place] for place in places])
    draw_bulk(hub, user)
    draw_pager(
        "deliveries",
        page.next_cursor,
        note=f"{len(page.rows)} on this page. Choose rows to replay them or to open one.",
    )


def _draw_actions(
    hub: Hub, user: Actor, filters: DeliveryFilters, *, chosen: Sequence[DeliveryRow]
) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if not user.sees_masked:
            _draw_selected(hub, user, tuple(row.id for row in chosen))
            if st.button(
                "Replay all that match…",
                key="deliveries_replay_all",
                icon=":material/replay:",
                help="Counts them first; nothing is sent before you confirm.",
            ):
                draw_replay_dialog(hub, user, filters)
            _draw_cancelling(filters, chosen)
        if len(chosen) == 1:
            draw_link("activity", "Open it", query={"event": chosen[0].event_id})


def _draw_cancelling(filters: DeliveryFilters, chosen: Sequence[DeliveryRow]) -> None:
    ids = tuple(row.id for row in chosen)
    st.button(
        f"Cancel selected ({len(ids)})…" if ids else "Cancel what waits…",
        key="deliveries_cancel",
        icon=":material/block:",
        help="Of what is chosen, or else of all that match, what is still queued. It is counted "
        "first; nothing is done before you confirm.",
        on_click=begin_cancelling,
        args=(DeliveryFilters(ids=ids) if ids else filters,),
    )


def _draw_selected(hub: Hub, user: Actor, ids: tuple[str, ...]) -> None:
    is_asked = st.button(
        f"Replay selected ({len(ids)})…",
        key="deliveries_replay_selected",
        icon=":material/replay:",
        disabled=not ids,
    )
    if is_asked and ids:
        draw_replay_dialog(hub, user, DeliveryFilters(ids=ids))
    elif is_asked:
        st.toast("The list has changed meanwhile. Choose the rows again.", icon=":material/info:")


def _fingerprint(rows: Sequence[DeliveryRow]) -> str:
    # A choice is kept by place. Other rows in those places must not inherit it, so the table
    # of other rows is another one.
    return hashlib.sha256("".join(row.id for row in rows).encode()).hexdigest()[:12]


def _draw_empty(*, is_narrowed: bool) -> None:
    if not is_narrowed:
        st.info("Nothing was sent yet. Deliveries appear here once a route takes an event.")
        return
    st.info("No delivery matches these filters.", icon=":material/filter_alt_off:")
    st.button("Clear the filters", key="deliveries_clear", on_click=ADDRESS.clear)


def _table_row(row: DeliveryRow) -> dict[str, object]:
    return {
        "created_at": row.created_at,
        "at": row.created_at,
        "status": [DELIVERY_LABELS.get(row.status, row.status)],
        "destination": row.destination_name,
        "error": error_words(row.error_class),
        "answer": row.response_status,
        "attempts": row.attempts,
        "next": None if row.status == "paused" else row.next_attempt_at,
        "event_type": row.event_type,
        "service": service_label(row.service_name),
        "id": row.id,
    }


_NAMES = {
    "Exact time": "at",
    "Destination": "destination",
    "Error": "error",
    "Answer": "answer",
    "Tries": "attempts",
    "Next try": "next",
    "Type": "event_type",
    "Service": "service",
    "Id": "id",
}
_USUAL = tuple(name for name in _NAMES if name != "Exact time")
_ALWAYS = ("created_at", "status")
_COLUMNS: dict[str, Any] = {
    "created_at": st.column_config.DatetimeColumn("Made", format="distance", width=112),
    "status": st.column_config.MultiselectColumn(
        "Status",
        options=list(DELIVERY_LABELS.values()),
        color=[DELIVERY_COLOURS[status] for status in DELIVERY_LABELS],
        width=100,
    ),
    "destination": st.column_config.TextColumn("Destination", width=180),
    "service": st.column_config.TextColumn("Service", width=100),
    "event_type": st.column_config.TextColumn("Type", width=170),
    "attempts": st.column_config.NumberColumn("Tries", width=60),
    "answer": st.column_config.NumberColumn("Answer", format="%d", width=70),
    "error": st.column_config.TextColumn("Error", width=124),
    "next": st.column_config.DatetimeColumn("Next try", format="distance", width=90),
    "id": st.column_config.TextColumn("Id", width="medium"),
}
