"""The table of events with its paging, its live mode and what is done to many of them."""

from collections.abc import Mapping, Sequence

import streamlit as st

from lib.access import Actor
from lib.connections.choices import list_choices
from lib.events.figures import count_received, figures_of, subjects_of
from lib.events.reading import EventFilters, EventRow, count_events, list_events
from lib.hub import Hub
from lib.ui.activity.bulk_dialog import begin_with_events, begin_with_matches, draw_bulk
from lib.ui.activity.event_columns import column_config, table_row
from lib.ui.activity.event_detail import PARAMETER
from lib.ui.activity.event_filters import ADDRESS
from lib.ui.formats import absolute, counted, plain
from lib.ui.links import draw_link
from lib.ui.page_keys import current_cursor, go_older
from lib.ui.pager import draw_pager
from lib.ui.telling import show_told

PAGE = 50
_NONCE = "activity_table_nonce"
_COUNTED = "activity_counted"
_LONGEST = 40


def draw_list(
    hub: Hub,
    user: Actor,
    filters: EventFilters,
    *,
    said: Mapping[str, str],
    columns: Sequence[str],
    is_choosing: bool,
) -> None:
    """Draw one page of events; a chosen row opens, or is marked while `is_choosing`.

    `said` are the filters in words.
    """
    show_told()
    cursor = current_cursor("activity", str(ADDRESS.current()))
    page = list_events(hub, user, filters, cursor=cursor, limit=PAGE)
    if page.rows:
        chosen = _draw_table(hub, user, page.rows, columns=columns, is_choosing=is_choosing)
        if is_choosing:
            _draw_choice(hub, user, filters, [page.rows[place].id for place in chosen])
        elif chosen:
            _open(page.rows[chosen[0]].id)
    elif page.searched_back_to is None:
        _draw_empty(hub, user, said)
        return
    if page.searched_back_to is not None and page.next_cursor is not None:
        _draw_further(absolute(page.searched_back_to), page.next_cursor)
        return
    note = f"{counted(len(page.rows), 'event')} on this page."
    draw_pager("activity", page.next_cursor, note=note)
    if page.next_cursor is not None or cursor is not None:
        _draw_count(hub, user, filters)


def _draw_table(
    hub: Hub, user: Actor, rows: Sequence[EventRow], *, columns: Sequence[str], is_choosing: bool
) -> list[int]:
    ids = [row.id for row in rows]
    figures, subjects = figures_of(hub, user, ids), subjects_of(hub, user, ids)
    nonce = st.session_state.setdefault(_NONCE, 0)
    chosen = st.dataframe(
        [table_row(row, figures.get(row.id), subjects.get(row.id, "")) for row in rows],
        key=f"activity_table_{nonce}_{is_choosing}",
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row" if is_choosing else "single-row",
        column_order=list(columns),
        height=560,
        alt=f"Table of {counted(len(rows), 'event')}, newest first.",
        column_config=column_config(),
    )
    return [place for place in chosen.selection.rows if place < len(rows)]


def _draw_choice(hub: Hub, user: Actor, filters: EventFilters, ids: Sequence[str]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            f"With {counted(len(ids), 'chosen event')}…",
            key="activity_bulk_rows",
            icon=":material/checklist:",
            disabled=not ids,
            on_click=begin_with_events,
            args=(ids,),
        )
        st.button(
            "With all that match…",
            key="activity_bulk_all",
            icon=":material/select_all:",
            help="Counts them first; nothing is done before you confirm.",
            on_click=begin_with_matches,
            args=(filters,),
        )
    draw_bulk(hub, user)


def _draw_count(hub: Hub, user: Actor, filters: EventFilters) -> None:
    asked = str(ADDRESS.current())
    if st.button(
        "Count all that match", key="activity_count", type="tertiary", icon=":material/tag:"
    ):
        with st.spinner("Counting…"):
            st.session_state[_COUNTED] = (asked, count_events(hub, user, filters))
    of, found = st.session_state.get(_COUNTED, ("", None))
    if found is None or of != asked:
        return
    said = counted(found.count, "event") if found.is_all else f"At least {found.count:,} events"
    st.caption(f"{said} when you asked.")


def _draw_further(back_to: str, cursor: str) -> None:
    st.info(f"Looked back to {back_to}. Older events may match too.", icon=":material/history:")
    st.button(
        "Look further back",
        key="activity_further",
        icon=":material/manage_search:",
        on_click=go_older,
        args=("activity", cursor),
    )


def _open(event_id: str) -> None:
    # A table under a new key has nothing selected, so the drawer does not open again by itself.
    st.session_state[_NONCE] += 1
    st.query_params[PARAMETER] = event_id
    st.rerun()


def _draw_empty(hub: Hub, user: Actor, said: Mapping[str, str]) -> None:
    if said:
        _draw_no_match(count_received(hub, user), said)
    elif list_choices(hub, user):
        st.info("No events yet. They appear here as soon as a provider sends one.")
        draw_link("integrations", "Open your integrations", icon=":material/hub:")
    else:
        st.info("Nothing is connected yet, so nothing can arrive. Add an integration first.")
        draw_link("integrations", "Add an integration", icon=":material/hub:")


def _draw_no_match(total: int, said: Mapping[str, str]) -> None:
    found = f"0 of {total:,} events match" if total else "No event matches"
    st.info(f"{found} {plain(', '.join(said.values()))}.", icon=":material/filter_alt_off:")
    with st.container(horizontal=True, gap="small"):
        for name, words in said.items():
            st.button(
                plain(f"Clear {words[:_LONGEST]}"),
                key=f"activity_clear_{name}",
                on_click=ADDRESS.clear_one,
                args=(name,),
            )
        if len(said) > 1:
            st.button(
                "Clear the filters", key="activity_clear", type="primary", on_click=ADDRESS.clear
            )
