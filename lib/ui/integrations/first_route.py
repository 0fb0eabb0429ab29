"""The last step of connecting: which events of a connection go where, or that this waits."""

import streamlit as st

from lib.access import Actor
from lib.connections.integrations import Integration
from lib.hub import Hub
from lib.outgoing import destinations, routes
from lib.outgoing.routes import RouteDraft
from lib.providers.base import Provider
from lib.ui.address_choice import labels_by_id
from lib.ui.formats import plain
from lib.ui.links import draw_link
from lib.ui.telling import do_and_tell

_TO = "integrations_route_to"
_TYPES = "integrations_route_types"
_SHOWN = 5


def draw_first_route(hub: Hub, user: Actor, item: Integration, provider: Provider) -> None:
    """Draw where events go already, or else the form of the first route."""
    rows = routes.list_all(hub, user, integration_id=item.id, limit=_SHOWN).rows
    if rows:
        names = sorted({row.destination_name for row in rows})
        st.success(
            f"They go to {', '.join(f'**{plain(name)}**' for name in names)}. Change it under "
            "**Routes**.",
            icon=":material/alt_route:",
        )
        return
    places = labels_by_id(
        (each.id, each.name)
        for each in destinations.list_all(hub, user)
        if each.user_id == item.user_id
    )
    if places:
        _draw_form(hub, user, item, places=places, types=provider.event_types)
        st.caption("Or later, under Routes: events are received and kept either way.")
        return
    st.caption(
        "There is no destination yet. Add one now or later: events are received and kept either "
        "way."
    )
    draw_link("webhooks", "Add a destination", query={"add": ""}, icon=":material/outbound:")


def _draw_form(
    hub: Hub, user: Actor, item: Integration, *, places: dict[str, str], types: tuple[str, ...]
) -> None:
    def add() -> str:
        draft = RouteDraft(
            integration_id=item.id,
            destination_id=st.session_state[_TO],
            event_types=st.session_state.get(_TYPES) or ("*",),
        )
        return f"Events go to {routes.add(hub, user, draft).destination_name} from now on."

    with st.form("integrations_route_form", enter_to_submit=False):
        st.selectbox("Go to", list(places), format_func=places.__getitem__, key=_TO)
        if types:
            st.multiselect("Event types", types, placeholder="All types", key=_TYPES)
        st.form_submit_button(
            "Add the route",
            key="integrations_route_add",
            icon=":material/add:",
            on_click=do_and_tell,
            args=(add,),
        )
