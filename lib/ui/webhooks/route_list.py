"""Routes as rows: from where to where, which events, in what shape, and a switch."""

import streamlit as st

from lib.access import Actor
from lib.errors import HubError
from lib.hub import Hub
from lib.outgoing import routes
from lib.outgoing.routes import RouteView
from lib.ui.errors import toast_refusal
from lib.ui.formats import counted, plain, service_chip
from lib.ui.page_keys import current_cursor
from lib.ui.pager import draw_pager
from lib.ui.webhooks.destination_words import filter_words

ROUTE = "route"
FROM = "from"
TO = "to"
NEW = "new"
# The switch between the two lists: its name in the address, and its second choice.
VIEW = "view"
ROUTES = "Routes"
_PAGE = "webhooks_routes"
_ROWS = 20


def draw_routes(hub: Hub, user: Actor, *, destination_id: str | None = None) -> None:
    """Draw one page of routes, all or those to one destination."""
    cursor = current_cursor(_PAGE, destination_id or "")
    page = routes.list_all(hub, user, destination_id=destination_id, cursor=cursor, limit=_ROWS)
    if not page.rows:
        st.info(
            "No routes yet. A route says which events of an integration go to a destination.",
            icon=":material/route:",
        )
    for row in page.rows:
        with st.container(border=True, key=f"webhooks_route_{row.id}"):
            _draw_route(hub, user, row)
    if page.rows:
        draw_pager(_PAGE, page.next_cursor, note=f"{counted(len(page.rows), 'route')} shown.")
    if destination_id is not None:
        st.button(
            "Add a route to here",
            key="webhooks_add_route_here",
            icon=":material/add:",
            on_click=open_route,
            args=(NEW, destination_id),
        )


def open_route(route_id: str, to: str = "") -> None:
    """Turn to the builder of a route; a callback."""
    st.query_params[ROUTE] = route_id
    if to:
        st.query_params[TO] = to


def turn_to_routes() -> None:
    """Have the list of routes in view once the builder is left; a callback."""
    st.query_params[VIEW] = ROUTES


def automatic_name(row: RouteView) -> str:
    """Return the name that a route has while nobody gave it one."""
    return f"{row.integration_name} → {row.destination_name}"


def _draw_route(hub: Hub, user: Actor, row: RouteView) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"{service_chip(row.service_name)} **{plain(row.integration_name)}** "
            f":material/arrow_forward: **{plain(row.destination_name)}**",
            width="stretch",
        )
        _draw_switch(hub, user, row)
        st.button(
            "Edit",
            key=f"webhooks_edit_route_{row.id}",
            icon=":material/edit:",
            on_click=open_route,
            args=(row.id,),
        )
    st.caption(_describe(row))


def _describe(row: RouteView) -> str:
    is_all = "*" in row.event_types
    types = "All events" if is_all else ", ".join(plain(name) for name in row.event_types)
    rule = f" where {filter_words(row.filters)}" if row.filters else ""
    shape = "in a shape of its own" if row.mapping else "as they are"
    name = "" if row.name == automatic_name(row) else f"{plain(row.name)}: "
    return f"{name}{types}{rule}, sent {shape}"


def _draw_switch(hub: Hub, user: Actor, row: RouteView) -> None:
    key = f"webhooks_active_{row.id}"
    # Staff or another tab may have switched it since this tab drew it.
    st.session_state[key] = row.is_active
    st.toggle("Active", key=key, on_change=_switch, args=(hub, user, row.id, key))


def _switch(hub: Hub, user: Actor, route_id: str, key: str) -> None:
    change = routes.resume if st.session_state[key] else routes.pause
    try:
        change(hub, user, route_id)
    except HubError as error:
        toast_refusal(error.message)
