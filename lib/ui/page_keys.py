"""Newer and older pages of a keyset list: the cursors that led to the page in view."""

import streamlit as st


def current_cursor(page: str, signature: str) -> str | None:
    """Return the cursor of the page in view; other filters start at the newest again."""
    if st.session_state.get(f"{page}_signature") != signature:
        st.session_state[f"{page}_signature"] = signature
        st.session_state[f"{page}_cursors"] = []
    cursors = _cursors(page)
    return cursors[-1] if cursors else None


def is_first_page(page: str) -> bool:
    """Say whether the newest rows are in view."""
    return not _cursors(page)


def go_older(page: str, cursor: str) -> None:
    """Turn to the rows before `cursor`; a callback."""
    st.session_state[f"{page}_cursors"] = [*_cursors(page), cursor]


def go_newer(page: str) -> None:
    """Turn back by one page; a callback."""
    st.session_state[f"{page}_cursors"] = _cursors(page)[:-1]


def _cursors(page: str) -> list[str]:
    cursors: list[str] = st.session_state.get(f"{page}_cursors", [])
    return cursors
