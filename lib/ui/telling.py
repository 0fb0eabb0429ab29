"""Doing one thing from a button's callback and telling how it went in the run after it.

A callback must not draw: within a fragment its elements would land at the top of the page.
"""

from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from lib.errors import HubError
from lib.ui.errors import toast_refusal

_TOLD = "hub_told"
_DONE = ":material/check_circle:"


class _Told(NamedTuple):
    """A sentence about what was done, or why it was not."""

    message: str
    is_refusal: bool


def tell(act: Callable[[], str]) -> bool:
    """Run `act` and keep the sentence it returns, or why it was not done; say whether it was."""
    try:
        said = act()
    except HubError as error:
        st.session_state[_TOLD] = _Told(error.message, is_refusal=True)
        return False
    st.session_state[_TOLD] = _Told(said, is_refusal=False)
    return True


def do_and_tell(act: Callable[[], str]) -> None:
    """Run `act` and tell how it went; a callback for buttons that need no more."""
    tell(act)


def act_and_toast(act: Callable[[], object], said: str) -> None:
    """Run `act` from a page's own callback and say at once that it is done, or why not."""
    try:
        act()
    except HubError as error:
        toast_refusal(error.message)
    else:
        st.toast(said, icon=_DONE)


def show_told() -> None:
    """Show what the last callback kept; whatever is drawn next after one calls this."""
    told: _Told | None = st.session_state.pop(_TOLD, None)
    if told is None:
        return
    if told.is_refusal:
        toast_refusal(told.message)
    else:
        st.toast(told.message, icon=_DONE)
