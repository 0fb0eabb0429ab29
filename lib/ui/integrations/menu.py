"""The list of connections narrowed by the address, and what can be done with one from there."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.access import Actor
from lib.card_pages import CardFilters
from lib.connections import integrations
from lib.connections.checks import run_check
from lib.connections.copies import duplicate
from lib.errors import HubError
from lib.hub import Hub
from lib.overview import Card
from lib.providers.registry import all_providers, get_provider
from lib.ui.address_choice import choose_named
from lib.ui.address_fields import kept, text
from lib.ui.errors import toast_refusal
from lib.ui.formats import STATE_BADGES, plain
from lib.ui.integrations.form import OPEN
from lib.ui.integrations.panels import confirm_integration_removal
from lib.ui.issued_secret import remember_secret

_TEST, _EDIT, _ROTATE = "Test", "Edit", "Rotate address"
_COPY, _DELETE = "Duplicate", "Delete"


def draw_list_filters() -> CardFilters:
    """Draw search, service and status, kept in the address, and return them."""
    states: dict[str, str] = {state: label for state, (label, _, _) in STATE_BADGES.items()}
    services = {provider.slug: provider.label for provider in all_providers()}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        words = st.text_input(
            "Search",
            type="search",
            placeholder="Name or owner",
            **kept("integrations", "q", text),
        )
        service = choose_named("Service", services, page="integrations", parameter="service")
        state = choose_named("Status", states, page="integrations", parameter="status")
    return CardFilters(words or "", service, state)


def draw_card_menu(hub: Hub, user: Actor, card: Card, *, place: DeltaGenerator) -> None:
    """Draw the menu of one connection and do what is chosen."""
    item = card.integration
    chosen = place.menu_button(
        "More",
        list(_ways(card)),
        key=f"integrations_menu_{item.id}",
        type="tertiary",
        icon=":material/more_horiz:",
    )
    if chosen is not None:
        _do(hub, user, card, chosen)


def draw_action_bar(hub: Hub, user: Actor, card: Card) -> None:
    """Draw what can be done with the chosen row, as buttons under the table."""
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{plain(card.integration.name)}**", width="content")
        for number, (label, icon) in enumerate(_ways(card).items()):
            key = f"integrations_bar_{number}"
            if st.button(label, key=key, icon=f":material/{icon}:", type="tertiary"):
                _do(hub, user, card, label)


def _ways(card: Card) -> dict[str, str]:
    """Return what can be done, each with its icon."""
    pause = ("Pause", "pause") if card.integration.is_active else ("Resume", "play_arrow")
    return dict(
        [
            (_TEST, "network_check"),
            (_EDIT, "edit"),
            (_ROTATE, "autorenew"),
            pause,
            (_COPY, "content_copy"),
            (_DELETE, "delete"),
        ]
    )


def _do(hub: Hub, user: Actor, card: Card, chosen: str) -> None:
    item = card.integration
    if chosen == _DELETE:
        confirm_integration_removal(hub, user, item)
        return
    try:
        told = carry_out(hub, user, card, chosen)
    except HubError as error:
        toast_refusal(error.message)
        return
    if told:
        st.toast(f"{plain(item.name)}: {told}", icon=":material/check_circle:")
    st.rerun()


def carry_out(hub: Hub, user: Actor, card: Card, chosen: str) -> str:
    """Do what was chosen and return what to tell; empty where the screen itself tells."""
    item = card.integration
    if chosen == _EDIT:
        st.query_params[OPEN] = item.id
        return ""
    if chosen == _TEST:
        return run_check(hub, user, item.id).message
    if chosen == _ROTATE:
        integrations.rotate_address(hub, user, item.id)
        st.query_params[OPEN] = item.id
        return "the address is new; paste it at the provider within seven days."
    if chosen == _COPY:
        made = duplicate(hub, user, item.id)
        remember_secret(
            made.integration.id,
            made.inbound_secret,
            title="Inbound secret",
            note=get_provider(item.service_name).signature_note,
        )
        st.query_params[OPEN] = made.integration.id
        return "copied without its secrets. Enter them, then resume the copy."
    (integrations.pause if item.is_active else integrations.resume)(hub, user, item.id)
    return "paused." if item.is_active else "resumed."
