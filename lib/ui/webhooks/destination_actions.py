"""What can be done with a destination: pause, rotate its secret, reveal its address, remove it."""

from collections.abc import Callable

import streamlit as st

from lib.access import Actor
from lib.errors import HubError
from lib.hub import Hub
from lib.outgoing import destinations
from lib.outgoing.destination_views import DestinationView
from lib.outgoing.hook_subscriptions import withdraw
from lib.ui.errors import toast_refusal
from lib.ui.formats import absolute, plain
from lib.ui.issued_secret import remember_secret
from lib.ui.removal_dialog import confirm_removal
from lib.ui.telling import act_and_toast
from lib.ui.webhooks.destination_form import SIGNING_NOTE

_TYPED_PROOF = "webhooks_password"
_ADDRESS_NOTE = "Whoever knows this address can send to it. It is shown until you put it away."


def draw_actions(hub: Hub, user: Actor, item: DestinationView) -> None:
    """Draw each action with what it does in words."""
    _draw_row(
        "Pause" if item.is_active else "Resume",
        "A pause keeps what is routed here queued; nothing is lost.",
        key="webhooks_pause",
        on_click=lambda: (destinations.pause if item.is_active else destinations.resume)(
            hub, user, item.id
        ),
    )
    if item.action is None:
        _draw_secrets(hub, user, item)
    _draw_dialog_row(
        "Delete",
        "Removes address, secrets and routes, and cancels what is queued. Finished deliveries "
        "stay.",
        key="webhooks_delete",
        open_dialog=lambda: _confirm_removal(hub, user, item),
    )


def _draw_secrets(hub: Hub, user: Actor, item: DestinationView) -> None:
    overlap = ""
    if until := item.previous_secret_expires_at:
        overlap = f" The secret before this one signs along until {absolute(until)}."
    _draw_row(
        "Rotate signing secret",
        f"Issues a new secret, shown once; for 24 hours requests carry both signatures.{overlap}",
        key="webhooks_rotate",
        on_click=lambda: _rotate(hub, user, item),
    )
    if item.user_id == user.id:
        _draw_dialog_row(
            "Reveal address",
            "Shows the full address once you have typed your password. It is put on record.",
            key="webhooks_reveal",
            open_dialog=lambda: _ask_password(hub, user, item),
        )


def _draw_row(label: str, note: str, *, key: str, on_click: Callable[[], object]) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(note, width="stretch")
        st.button(label, key=key, on_click=act_and_toast, args=(on_click, f"{label}: done."))


def _draw_dialog_row(label: str, note: str, *, key: str, open_dialog: Callable[[], None]) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(note, width="stretch")
        if st.button(label, key=key):
            open_dialog()


@st.dialog("Reveal the full address?", icon=":material/visibility:")
def _ask_password(hub: Hub, user: Actor, item: DestinationView) -> None:
    st.markdown(f"Type your password to see where **{plain(item.name)}** leads.")
    st.text_input("Password", type="password", autocomplete="current-password", key=_TYPED_PROOF)
    st.button(
        "Show the address",
        key="webhooks_reveal_confirm",
        type="primary",
        on_click=_reveal,
        args=(hub, user, item),
    )


def _confirm_removal(hub: Hub, user: Actor, item: DestinationView) -> None:
    confirm_removal(
        "destination",
        item.name,
        open_count=destinations.count_open(hub, user, item.id),
        page="webhooks",
        remove=lambda typed: withdraw(hub, user, item.id, typed_name=typed),
    )


def _rotate(hub: Hub, user: Actor, item: DestinationView) -> None:
    issued = destinations.rotate_signing_secret(hub, user, item.id)
    remember_secret(item.id, issued.signing_secret, title="Signing secret", note=SIGNING_NOTE)


def _reveal(hub: Hub, user: Actor, item: DestinationView) -> None:
    password = st.session_state.pop(_TYPED_PROOF, "")
    try:
        url = destinations.reveal_url(hub, user, item.id, password=password)
    except HubError as error:
        toast_refusal(error.message)
        return
    remember_secret(item.id, url, title="Full address", note=_ADDRESS_NOTE)
    st.rerun()
