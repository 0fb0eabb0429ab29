"""A saved route tried on a saved event: what keeps it out, and the request as it would go out."""

import json
from typing import Any

import streamlit as st

from lib.access import Actor
from lib.hub import Hub
from lib.laboratory import route_trials
from lib.laboratory.route_trials import RouteTrial
from lib.outgoing import routes
from lib.outgoing.routes import RouteView
from lib.ui.address_choice import labels_by_id
from lib.ui.errors import reporting_errors
from lib.ui.facts_table import draw_facts
from lib.ui.formats import plain
from lib.ui.links import draw_link
from lib.ui.webhooks.event_choice import event_choices

_ROUTE = "testing_route"
_EVENT = "testing_event"
_ROUTES = 200
_HEIGHT = 320
_COLUMNS: dict[str, Any] = {
    "condition": st.column_config.TextColumn("Condition", width="large"),
    "met": st.column_config.CheckboxColumn("Met", width="small"),
}


def draw_route_trial(hub: Hub, user: Actor) -> None:
    """Draw the two choices and what would become of the event; nothing is sent or stored."""
    found = {row.id: row for row in routes.list_all(hub, user, limit=_ROUTES).rows}
    if not found:
        st.info("There is no route to try yet.", icon=":material/route:")
        draw_link("webhooks", "Make a route", icon=":material/alt_route:")
        return
    st.caption("Nothing is sent and nothing is stored.")
    left, right = st.columns(2, gap="large")
    with left:
        route = _choose_route(found)
    with right:
        event_id = _choose_event(hub, user, route)
    if event_id is None:
        st.info("No event has come in for this route's integration yet.")
        return
    with reporting_errors():
        _draw_trial(route_trials.try_route(hub, user, route.id, event_id))


def _choose_route(found: dict[str, RouteView]) -> RouteView:
    labels = labels_by_id((row.id, row.name) for row in found.values())
    if st.session_state.get(_ROUTE) not in found:
        st.session_state[_ROUTE] = next(iter(found))
    chosen = st.selectbox("Route", list(found), key=_ROUTE, format_func=lambda each: labels[each])
    return found[chosen]


def _choose_event(hub: Hub, user: Actor, route: RouteView) -> str | None:
    names = event_choices(hub, user, route.integration_id)
    if not names:
        return None
    if st.session_state.get(_EVENT) not in names:
        st.session_state[_EVENT] = next(iter(names))
    return st.selectbox(
        "Event or sample", list(names), key=_EVENT, format_func=lambda each: names.get(each, each)
    )


def _draw_trial(trial: RouteTrial) -> None:
    name = plain(trial.route.destination_name)
    if trial.is_taken:
        st.success(f"This event would go to **{name}**.", icon=":material/check_circle:")
    else:
        first = next(each.text for each in trial.conditions if not each.is_met)
        st.warning(
            f"This event would not go to **{name}**: it is not true that {plain(first)}.",
            icon=":material/filter_alt_off:",
        )
    st.dataframe(
        [{"condition": each.text, "met": each.is_met} for each in trial.conditions],
        key="testing_conditions",
        hide_index=True,
        alt=f"{len(trial.conditions)} conditions, and which of them the event meets.",
        column_config=_COLUMNS,
    )
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**The event**")
        with st.container(height=_HEIGHT):
            st.json(trial.preview.envelope, expanded=2)
    with right:
        st.markdown("**The body that would be sent**")
        if trial.body is None:
            st.error(trial.error or "", icon=":material/error:")
            return
        with st.container(height=_HEIGHT):
            st.json(json.loads(trial.body), expanded=2)
    st.markdown("**Its headers**")
    draw_facts(trial.headers, key="testing_sent_headers", empty="It has no headers.")
