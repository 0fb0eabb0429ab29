"""One connection: how to connect it, its settings, and what can be done with it."""

from collections.abc import Callable

import streamlit as st

from lib import overview
from lib.access import Actor
from lib.connections import integrations
from lib.connections.checks import run_check
from lib.connections.integrations import Integration
from lib.errors import HubError
from lib.hub import Hub
from lib.providers.base import Provider
from lib.providers.registry import get_provider
from lib.ui.credentials.panel import draw_integration_credentials
from lib.ui.errors import reporting_errors, show_refusal
from lib.ui.formats import absolute, ago, plain, service_chip
from lib.ui.integrations.action_form import draw_actions
from lib.ui.integrations.cards import draw_state, draw_traffic
from lib.ui.integrations.first_event import await_first_event
from lib.ui.integrations.first_route import draw_first_route
from lib.ui.integrations.form import draw_edit_form
from lib.ui.integrations.panels import (
    confirm_integration_removal,
    draw_history,
    draw_integration_routes,
    draw_status_page,
)
from lib.ui.integrations.recent_events import draw_recent_events
from lib.ui.integrations.retention_form import draw_retention
from lib.ui.integrations.vendor_account import draw_account, draw_found
from lib.ui.issued_secret import draw_secret, remember_secret
from lib.ui.marks import draw_mark
from lib.ui.telling import act_and_toast, show_told

_OUTCOMES = {
    "verified": (st.success, ":material/verified:", "Verified"),
    "accepted": (st.info, ":material/help:", "Accepted"),
    "failed": (st.error, ":material/error:", "Failed"),
}


def draw_integration(hub: Hub, user: Actor, item: Integration) -> None:
    """Draw everything about one connection."""
    show_told()
    provider = get_provider(item.service_name)
    _draw_standing(hub, user, item)
    names = ["Overview", "Events", *(["Actions"] if provider.actions else []), "Routes"]
    *tabs, routes, keys, settings, address, shared, audit = st.tabs(
        [*names, "Credentials", "Settings", "Address and removal", "Status page", "Audit"]
    )
    connect, events, *between = tabs
    with events, reporting_errors():
        draw_recent_events(hub, user, item)
    with routes, reporting_errors():
        draw_integration_routes(hub, user, item)
    with keys, reporting_errors():
        draw_integration_credentials(hub, user, item)
    with shared, reporting_errors():
        draw_status_page(hub, user, item)
    with audit, reporting_errors():
        draw_history(hub, user, item)
    with connect:
        _draw_connect(hub, user, item, provider)
    for actions in between:
        with actions:
            draw_actions(hub, user, item)
    with settings:
        for title, document in provider.previews(item.config_data).items():
            st.markdown(f"**{plain(title)}**, as it is sent")
            st.code(document, language="xml", wrap_lines=True)
        draw_edit_form(hub, user, item, provider)
        draw_retention(hub, user, item)
    with address:
        _draw_address(hub, user, item, provider)
        _draw_removal(hub, user, item)


def _draw_standing(hub: Hub, user: Actor, item: Integration) -> None:
    card = overview.card(hub, user, item.id)
    with st.container(horizontal=True, vertical_alignment="center"):
        draw_mark(item.service_name)
        st.markdown(service_chip(item.service_name), width="content")
        draw_state(card)
        st.caption(
            f"Added {ago(item.created_at)} by", width="content", help=absolute(item.created_at)
        )
        # As text: Markdown would make a link of an address.
        st.text(item.owner, width="content")
        st.code(item.id, language=None, width="content")
    draw_traffic(card)


def _draw_connect(hub: Hub, user: Actor, item: Integration, provider: Provider) -> None:
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.markdown(f"**1. Paste this address in {plain(provider.label)}**")
        pasted = provider.addresses(item.webhook_url)
        for place, address in pasted.items():
            if len(pasted) > 1:
                st.caption(plain(place))
            st.code(address, language=None, wrap_lines=True)
        draw_secret(item.id, page="integrations")
        with st.container(border=True):
            st.markdown(provider.setup_note())
        st.caption(provider.signature_note)
    with right:
        st.markdown("**2. Test the connection**")
        _draw_test(hub, user, item)
        draw_account(hub, user, item, provider)
        st.markdown("**3. Receive the first event**")
        await_first_event(hub, user, integration_id=item.id)
        st.markdown("**4. Choose where events go**")
        draw_first_route(hub, user, item, provider)


def _draw_test(hub: Hub, user: Actor, item: Integration) -> None:
    if item.status in _OUTCOMES:
        draw, icon, word = _OUTCOMES[item.status]
        draw(f"**{word}.** {plain(item.status_message)}", icon=icon)
        draw_found(item.check_facts)
        when = absolute(item.checked_at) if item.checked_at else None
        st.caption(f"Tested {ago(item.checked_at)}", help=when)
    else:
        st.caption(plain(item.status_message))
    if st.button("Test connection", key="integrations_test", icon=":material/network_check:"):
        with st.spinner("Asking the service…"):
            done = _attempt(lambda: run_check(hub, user, item.id))
        if done:
            st.rerun()


def _draw_address(hub: Hub, user: Actor, item: Integration, provider: Provider) -> None:
    _draw_action(
        "Resume" if not item.is_active else "Pause",
        "Events are received and stored either way; a pause stops what happens with them next.",
        key="integrations_pause",
        action=lambda: (integrations.pause if item.is_active else integrations.resume)(
            hub, user, item.id
        ),
    )
    overlap = ""
    if until := item.previous_address_until:
        overlap = f" The address before this one is accepted until {absolute(until)}."
    _draw_action(
        "Rotate address",
        "Makes a new address. The present one works for seven more days, so that you can "
        f"paste the new one without losing an event.{overlap}",
        key="integrations_rotate",
        action=lambda: integrations.rotate_address(hub, user, item.id),
    )
    if provider.issued_field is not None:
        _draw_action(
            "Issue new secret",
            "Issues a new inbound secret, shown once under Overview. The old one is accepted for "
            "24 more hours; the Credentials screen ends that early.",
            key="integrations_reissue",
            action=lambda: remember_secret(
                item.id,
                integrations.reissue_secret(hub, user, item.id).inbound_secret,
                title="Inbound secret",
                note=provider.signature_note,
            ),
        )


def _draw_action(label: str, note: str, *, key: str, action: Callable[[], object]) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(note, width="stretch")
        st.button(label, key=key, on_click=act_and_toast, args=(action, f"{label}: done."))


def _draw_removal(hub: Hub, user: Actor, item: Integration) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(
            "Removes credentials and address and cancels what is queued; requests to it are "
            "refused. Stored events stay.",
            width="stretch",
        )
        if st.button("Delete", key="integrations_delete", icon=":material/delete:"):
            confirm_integration_removal(hub, user, item)


def _attempt(action: Callable[[], object]) -> bool:
    try:
        action()
    except HubError as error:
        show_refusal(error.message)
        return False
    return True
