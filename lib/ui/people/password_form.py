"""The form that changes one's own password, on the account page and at a first sign-in."""

import streamlit as st

from lib.access import Actor
from lib.errors import InvalidInput
from lib.hub import Hub
from lib.people.passwords import MINIMUM_CHARACTERS
from lib.people.sign_in import change_password
from lib.ui.errors import reporting_errors


def show_forced_change(hub: Hub, actor: Actor, *, session_id: str) -> None:
    """Ask for an own password before anything else is shown."""
    _, middle, _ = st.columns([1, 1.4, 1])
    with middle:
        st.title("Choose your own password", anchor=False)
        st.text(f"You are {actor.email} and signed in with a one-time password.")
        if show_password_form(hub, actor, session_id=session_id):
            st.rerun()


def show_password_form(hub: Hub, actor: Actor, *, session_id: str) -> bool:
    """Draw the form; say whether this run changed the password."""
    current_label = "One-time password" if actor.must_change_password else "Current password"
    with st.form("account_password", clear_on_submit=False):
        current = st.text_input(
            current_label, type="password", autocomplete="current-password", key="account_current"
        )
        new = st.text_input(
            "New password",
            type="password",
            autocomplete="new-password",
            help=f"At least {MINIMUM_CHARACTERS} characters. A few random words are good.",
            key="account_new",
        )
        again = st.text_input(
            "New password again", type="password", autocomplete="new-password", key="account_again"
        )
        is_sent = st.form_submit_button(
            "Change password", type="primary", icon=":material/lock_reset:"
        )
    if not is_sent:
        return False
    with reporting_errors():
        if new != again:
            raise InvalidInput("The two new passwords differ. Type them again.", field="again")
        change_password(hub, actor, current=current, new=new, keep_session=session_id)
        return True
    return False
