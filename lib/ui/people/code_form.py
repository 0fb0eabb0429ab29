"""The second step of a sign-in: the code of the user's app, or a recovery code."""

from datetime import datetime

import streamlit as st

from lib.access import Actor
from lib.clock import now
from lib.hub import Hub
from lib.people import second_factor
from lib.ui.errors import reporting_errors

_USER, _UNTIL = "code_user_id", "code_until"


def ask_for_code(user_id: str) -> None:
    """Remember, in the tab's memory on the server, whose password was just proven."""
    st.session_state[_USER] = user_id
    st.session_state[_UNTIL] = now() + second_factor.STEP_LIFE


def waits_for_code() -> bool:
    """Say whether a password was proven in the last minutes and its code is missing."""
    until: datetime | None = st.session_state.get(_UNTIL)
    return until is not None and until > now()


def forget_code() -> None:
    """Go back to the first step; a callback."""
    st.session_state.pop(_USER, None)
    st.session_state.pop(_UNTIL, None)


def show_code_form(hub: Hub, *, ip: str) -> Actor | None:
    """Draw the form; return who gave a right code in this run."""
    with st.form("code_form", border=True):
        st.subheader("Second step", anchor=False)
        code = st.text_input(
            "Code",
            autocomplete="one-time-code",
            help="The six digits that your app shows now, or one of your recovery codes.",
            key="code_given",
        )
        is_sent = st.form_submit_button("Sign in", type="primary")
    st.button("Back", key="code_back", type="tertiary", on_click=forget_code)
    if not is_sent:
        return None
    with reporting_errors():
        return second_factor.prove(hub, st.session_state[_USER], code=code, ip=ip)
    return None
