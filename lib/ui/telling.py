"""Doing one thing from a button's callback and telling how it went in the run after it.

A callback must not draw: within a fragment its elements would land at the top of the page.
"""

from collections.abc import Callable

import streamlit as st

from lib.errors import HubError

_TOLD = "hub_told"


def tell(act: Callable[[], str]) -> bool:
    """Run `act` and keep the sentence it returns, or why it was not done; say whether it was."""
    try:
        said = act()
    except HubError as error:
        st.session_state[_TOLD] = (error.message, ":material/error:")
        return False
    st.session_state[_TOLD] = (said, ":material/check_circle:")
    return True


def do_and_tell(act: Callable[[], str]) -> None:
    """Run `act` and tell how it went; a callback for buttons that need no more."""
    tell(act)


def show_told() -> None:
    """Show what the last callback kept; whatever is drawn next after one calls this."""
    told: tuple[str, str] | None = st.session_state.pop(_TOLD, None)
    if told is not None:
        message, icon = told
        st.toast(message, icon=icon)
