"""Where events go: destinations, and the routes that lead to them."""

import streamlit as st

from lib.access import Actor, Role
from lib.outgoing.destination_figures import figures
from lib.outgoing.routes import get as get_route
from lib.providers.registry import all_targets
from lib.ui.address_fields import kept, one_of
from lib.ui.errors import reporting_errors, stopping_on_error
from lib.ui.form_problems import forget_problem
from lib.ui.formats import plain
from lib.ui.heads import draw_head
from lib.ui.issued_secret import forget_secret
from lib.ui.people.session import require_user
from lib.ui.resources import get_hub
from lib.ui.webhooks import route_list
from lib.ui.webhooks.destination_detail import draw_destination
from lib.ui.webhooks.destination_form import ADD, PAGE, draw_add_form, draw_kinds
from lib.ui.webhooks.destination_list import OPEN, draw_destinations
from lib.ui.webhooks.route_builder import draw_builder, forget_draft

user = require_user(Role.MEMBER, Role.STAFF)


def _go_back(*parameters: str) -> None:
    forget_problem(PAGE)
    forget_secret()
    forget_draft()
    for parameter in parameters:
        st.query_params.pop(parameter, None)
    if route_list.ROUTE in parameters:
        route_list.turn_to_routes()


def _go_to_add(kind: str = "") -> None:
    forget_problem(PAGE)
    st.query_params[ADD] = kind


def _draw_back(label: str, *parameters: str) -> None:
    st.button(
        label,
        key="webhooks_back",
        icon=":material/arrow_back:",
        type="tertiary",
        on_click=_go_back,
        args=parameters,
    )


def _draw_one(actor: Actor, destination_id: str) -> None:
    _draw_back("All destinations", OPEN)
    with stopping_on_error():
        row = figures(get_hub(), actor, destination_id)
    st.title(row.destination.name, anchor=False)
    draw_destination(get_hub(), actor, row)


def _draw_route(actor: Actor, route_id: str) -> None:
    _draw_back("Back", route_list.ROUTE, route_list.FROM, route_list.TO)
    with stopping_on_error():
        stored = None if route_id == route_list.NEW else get_route(get_hub(), actor, route_id)
        st.title("Edit route" if stored else "New route", anchor=False)
        draw_builder(
            get_hub(),
            actor,
            stored,
            begin=st.query_params.get(route_list.FROM),
            to=st.query_params.get(route_list.TO),
        )


def _draw_add(actor: Actor, kind: str) -> None:
    _draw_back("All destinations", ADD)
    target = next((each for each in all_targets() if each.kind == kind), None)
    if target is None:
        st.title("Add a destination", anchor=False)
        draw_kinds(on_choose=_go_to_add)
        return
    st.title(f"Add a destination: {target.label}", anchor=False)
    form, note = st.columns([3, 2], gap="large")
    with form:
        draw_add_form(get_hub(), actor, target)
    with note, st.container(border=True):
        st.markdown(plain(target.url_help))
        st.caption(plain(target.success_note))


def _draw_lists(actor: Actor) -> None:
    with draw_head("Webhooks", "Where events go from here, and by which routes."):
        view = st.segmented_control(
            "View",
            ["Destinations", route_list.ROUTES],
            required=True,
            label_visibility="collapsed",
            **kept("webhooks", route_list.VIEW, one_of([route_list.ROUTES]), empty="Destinations"),
        )
        is_routes = view == route_list.ROUTES
        st.button(
            "Add route" if is_routes else "Add destination",
            key="webhooks_add",
            icon=":material/add:",
            type="primary",
            on_click=route_list.open_route if is_routes else _go_to_add,
            args=(route_list.NEW,) if is_routes else (),
        )
    with reporting_errors():
        (route_list.draw_routes if is_routes else draw_destinations)(get_hub(), actor)


if route_list.ROUTE in st.query_params:
    _draw_route(user, st.query_params[route_list.ROUTE])
elif OPEN in st.query_params:
    _draw_one(user, st.query_params[OPEN])
elif ADD in st.query_params:
    _draw_add(user, st.query_params[ADD])
else:
    _draw_lists(user)
