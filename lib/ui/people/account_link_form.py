"""The page behind a one-time link: an invited or forgetful user chooses a password."""

import streamlit as st

from lib.access import Actor
from lib.errors import HubError, InvalidInput
from lib.hub import Hub
from lib.people.account_links import OpenLink, look_up, redeem
from lib.people.passwords import MINIMUM_CHARACTERS
from lib.ui.errors import reporting_errors, show_refusal
from lib.ui.people.session import leave_link


def show_link(hub: Hub, token: str) -> Actor | None:
    """Draw the form; return who chose a password in this run."""
    try:
        link = look_up(hub, token)
    except HubError as error:
        show_refusal(error.message)
        st.button("To the sign-in", key="account_link_leave", on_click=leave_link, args=(token,))
        return None
    _show_head(link)
    with st.form("account_link", clear_on_submit=False, border=True):
        new = st.text_input(
            "New password",
            type="password",
            autocomplete="new-password",
            help=f"At least {MINIMUM_CHARACTERS} characters. A few random words are good.",
            key="account_link_new",
        )
        again = st.text_input(
            "New password again",
            type="password",
            autocomplete="new-password",
            key="account_link_again",
        )
        is_sent = st.form_submit_button("Save and sign in", type="primary")
    if not is_sent:
        return None
    with reporting_errors():
        if new != again:
            raise InvalidInput("The two passwords differ. Type them again.", field="again")
        return redeem(hub, token, password=new)
    return None


def _show_head(link: OpenLink) -> None:
    if link.purpose == "invite":
        st.subheader("Welcome", anchor=False)
        st.text(f"You were invited as {link.email}, in the role {link.role}. Choose a password.")
    else:
        st.subheader("A new password", anchor=False)
        st.text(f"Choose a new password for {link.email}. Other sign-ins end with it.")
