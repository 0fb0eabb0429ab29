"""Credentials as a table, and the filters that narrow it; knows masks alone."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from lib.access import Actor, Role
from lib.analytics.scopes import members
from lib.credentials.rows import Credential, State
from lib.credentials.views import CredentialFilters, list_credentials
from lib.hub import Hub
from lib.providers.registry import all_providers
from lib.ui.address_choice import choose_named, labels_by_id
from lib.ui.address_fields import flag, kept
from lib.ui.credentials.words import FILTERED, OUTCOMES, STATES, age_words, end_words, mask_of
from lib.ui.formats import counted, service_label
from lib.ui.links import draw_link
from lib.ui.marks import mark_uri
from lib.ui.page_keys import current_cursor
from lib.ui.pager import draw_pager

OPEN = "open"
_PAGE = "credentials"


def draw_credentials(hub: Hub, user: Actor) -> None:
    """Draw the filters and one page of credentials; a chosen row puts its key into the address."""
    filters = _draw_filters(hub, user)
    cursor = current_cursor(_PAGE, repr(filters))
    page = list_credentials(hub, user, filters, cursor=cursor)
    if not page.rows:
        _draw_empty(filters, is_end=page.next_cursor is None)
    elif chosen := draw_table(page.rows, user, page=_PAGE):
        st.query_params[OPEN] = chosen
        st.rerun()
    draw_pager(
        _PAGE, page.next_cursor, note="Choose a row to test it, to rotate it or to see its uses."
    )


def draw_table(rows: Sequence[Credential], user: Actor, *, page: str) -> str | None:
    """Draw the rows and return the key of the one that was chosen."""
    nonce = st.session_state.setdefault(f"{page}_credentials_nonce", 0)
    hidden = set() if page == _PAGE else {"mark", "service", "object", "owner"}
    if user.role is not Role.STAFF:
        hidden.add("owner")
    chosen = st.dataframe(
        [_table_row(row) for row in rows],
        key=f"{page}_credentials_{nonce}",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        placeholder="–",
        alt=f"Table of {counted(len(rows), 'credential')}.",
        column_order=[name for name in _COLUMNS if name not in hidden],
        column_config=_COLUMNS,
    )
    if not chosen.selection.rows:
        return None
    st.session_state[f"{page}_credentials_nonce"] += 1
    return rows[chosen.selection.rows[0]].key


def _draw_filters(hub: Hub, user: Actor) -> CredentialFilters:
    services = {each.slug: each.label for each in all_providers()}
    states = {state.value: STATES[state][0] for state in FILTERED}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        service = choose_named("Service", services, page=_PAGE, parameter="service")
        state = choose_named("State", states, page=_PAGE, parameter="state")
        owner = None
        if user.role is Role.STAFF:
            people = labels_by_id(members(hub, user))
            owner = choose_named("Owner", people, page=_PAGE, parameter="owner")
        everything = st.toggle(
            "Optional ones too",
            help="Also those that may be set and are not.",
            **kept(_PAGE, "optional", flag, empty=False),
        )
    return CredentialFilters(service, State(state) if state else None, owner, bool(everything))


def _draw_empty(filters: CredentialFilters, *, is_end: bool) -> None:
    if filters != CredentialFilters():
        more = "" if is_end else " Older ones may; turn the page."
        st.info(f"No credential matches. Empty a filter to see more.{more}")
        return
    st.info(
        "No credentials yet. They come with the first integration or destination.",
        icon=":material/key:",
    )
    draw_link("integrations", "Add an integration", query={"add": ""}, icon=":material/add:")


def _table_row(row: Credential) -> dict[str, object]:
    return {
        "mark": mark_uri(row.service_name),
        "service": service_label(row.service_name) if row.service_name else "",
        "object": row.object_name,
        "label": row.label,
        "owner": row.owner,
        "state": [STATES[state][0] for state in row.states],
        "value": mask_of(row),
        "age": age_words(row) or None,
        "used": row.last_used_at,
        "outcome": OUTCOMES.get(row.outcome or ""),
        "checked": row.checked_at,
        "found": list(row.scopes_found),
        "missing": list(row.scopes_missing),
        "ends": end_words(row) or None,
    }


_COLUMNS: dict[str, Any] = {
    "mark": st.column_config.ImageColumn("", width=36),
    "label": st.column_config.TextColumn("Credential", width=136),
    "object": st.column_config.TextColumn("Of", width=160, help="Integration or destination."),
    "owner": st.column_config.TextColumn("Owner", width=150),
    "state": st.column_config.MultiselectColumn(
        "State",
        options=[label for label, _ in STATES.values()],
        color=[colour for _, colour in STATES.values()],
        width=116,
    ),
    "value": st.column_config.TextColumn("Last four", width=80),
    "age": st.column_config.TextColumn("Age", width=80),
    "used": st.column_config.DatetimeColumn("Last used", format="distance", width=104),
    "outcome": st.column_config.TextColumn("Check", width=76),
    "checked": st.column_config.DatetimeColumn("Checked", format="distance", width=104),
    "missing": st.column_config.ListColumn("Scopes missing", width=130),
    "found": st.column_config.ListColumn("Scopes found", width=150),
    "ends": st.column_config.TextColumn("Expires", width=230),
    "service": st.column_config.TextColumn("Service", width=104),
}
