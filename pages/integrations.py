"""Connections: the list, a new one, and one in detail."""

import streamlit as st

from lib.access import Actor, Role
from lib.connections.integrations import get
from lib.providers.registry import all_providers, find_provider
from lib.ui.address_fields import flag, kept, write_address
from lib.ui.errors import stopping_on_error
from lib.ui.heads import draw_head
from lib.ui.integrations.card_list import draw_list
from lib.ui.integrations.detail import draw_integration
from lib.ui.integrations.form import ADD, OPEN, draw_add_form, forget_problem
from lib.ui.issued_secret import forget_secret
from lib.ui.marks import draw_mark
from lib.ui.people.session import require_user
from lib.ui.resources import get_hub

user = require_user(Role.MEMBER, Role.STAFF)


def _go_to_list() -> None:
    forget_problem()
    forget_secret()
    write_address("integrations", {ADD: None, OPEN: None})


def _go_to_add(slug: str = "") -> None:
    forget_problem()
    st.query_params[ADD] = slug


def _draw_back() -> None:
    st.button(
        "All integrations",
        key="integrations_back",
        icon=":material/arrow_back:",
        type="tertiary",
        on_click=_go_to_list,
    )


def _draw_one(actor: Actor, integration_id: str) -> None:
    _draw_back()
    with stopping_on_error():
        item = get(get_hub(), actor, integration_id)
    st.title(item.name, anchor=False)
    draw_integration(get_hub(), actor, item)


def _draw_add(actor: Actor, slug: str) -> None:
    _draw_back()
    provider = find_provider(slug)
    if provider is None:
        _draw_choice()
        return
    st.title(f"Add {provider.label}", anchor=False)
    form, note = st.columns(2, gap="large")
    with form:
        draw_add_form(get_hub(), actor, provider)
    with note:
        st.markdown(provider.setup_note())


def _draw_choice() -> None:
    st.title("Add an integration", anchor=False)
    st.caption("Choose the service that sends the events.")
    grid = st.grid(3, min_column_width=260, gap="medium")
    for provider in all_providers():
        with grid.container(border=True, height="stretch"):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                draw_mark(provider.slug)
                st.markdown(f"**{provider.label}**")
            st.caption(provider.signature_note)
            st.button(
                f"Add {provider.label}",
                key=f"integrations_choose_{provider.slug}",
                on_click=_go_to_add,
                args=(provider.slug,),
            )


def _draw_list(actor: Actor) -> None:
    with draw_head("Integrations", "The services that send events to this hub."):
        as_table = st.toggle("Table", **kept("integrations", "table", flag, empty=False))
        st.button(
            "Add integration",
            key="integrations_add",
            icon=":material/add:",
            type="primary",
            on_click=_go_to_add,
        )
    draw_list(get_hub(), actor, as_table=as_table)


if OPEN in st.query_params:
    _draw_one(user, st.query_params[OPEN])
elif ADD in st.query_params:
    _draw_add(user, st.query_params[ADD])
else:
    _draw_list(user)
