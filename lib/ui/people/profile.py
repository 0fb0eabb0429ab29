"""The signed-in user as cards: one in the sidebar of every page, one on the account page.

Names and addresses are drawn as text: Markdown would make a link of an address.
"""

import re
from typing import Literal
from urllib.parse import urlsplit

import streamlit as st

from lib.access import Actor, Role
from lib.hub import Hub
from lib.people.users import rename
from lib.ui.telling import tell

_NAME = "account_name"
_COLOURS: dict[Role, Literal["violet", "blue", "green"]] = {
    Role.STAFF: "violet",
    Role.MEMBER: "blue",
    Role.ANALYST: "green",
}
_TRIAL_NAMES = {"test", "staging", "dev", "sandbox"}
_REACH = {
    Role.MEMBER: "You see and change your own integrations and their events. Ask staff to "
    "change your address or role.",
    Role.STAFF: "You see and change everything in this hub. Other staff can change your role.",
    Role.ANALYST: "You read charts and masked events of all members. Ask staff to change your "
    "address or role.",
}


def show_profile(hub: Hub, actor: Actor) -> None:
    """Draw the facts of the account and what its role reaches."""
    facts = {
        "Name": actor.name,
        "E-mail": actor.email,
        "Role": actor.role.value.capitalize(),
        "Time zone": st.context.timezone or "UTC",
    }
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader("Profile", anchor=False, width="stretch")
            with st.popover("Change name", icon=":material/edit:"):
                _draw_name(hub, actor)
        for column, (label, value) in zip(st.columns(len(facts)), facts.items(), strict=True):
            column.caption(label)
            column.text(value)
        st.caption(_REACH[actor.role])


def _draw_name(hub: Hub, actor: Actor) -> None:
    with st.form("account_profile", border=False):
        st.text_input("Name", value=actor.name, key=_NAME)
        st.form_submit_button("Save", on_click=_rename, args=(hub, actor))


def _rename(hub: Hub, actor: Actor) -> None:
    def act() -> str:
        rename(hub, actor, name=str(st.session_state[_NAME]))
        return "Your name is saved."

    tell(act)


def show_identity(actor: Actor) -> None:
    """Draw who is signed in, in little space."""
    with st.container(gap=None):
        st.text(actor.name)
        if actor.name != actor.email:
            st.text(actor.email)


def show_role(actor: Actor) -> None:
    """Draw the role as a badge."""
    st.badge(actor.role.value.capitalize(), color=_COLOURS[actor.role])


def show_environment(public_url: str) -> None:
    """Draw which hub this is: Local, Test (by its name) or Live."""
    host = urlsplit(public_url).hostname or ""
    if host in ("localhost", "127.0.0.1", "::1"):
        st.badge("Local", color="gray", help="Providers cannot reach this hub from outside.")
    elif _TRIAL_NAMES & set(re.split(r"[.-]", host)):
        st.badge("Test", color="orange", help=f"Its name says so: {host}.")
    else:
        st.badge("Live", color="green", help=f"Providers reach this hub at {host}.")
