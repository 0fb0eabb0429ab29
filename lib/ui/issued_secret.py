"""What is shown this once, kept in the tab's own memory until it is put away."""

import streamlit as st

_KEY = "issued_secret"


def remember_secret(owner_id: str, secret: str | None, *, title: str, note: str) -> None:
    """Keep what `draw_secret` shows for its owner; nothing if no secret was issued.

    `note` says what the other side does with it.
    """
    if secret is not None:
        st.session_state[_KEY] = (owner_id, secret, title, note)


def draw_secret(owner_id: str, *, page: str) -> None:
    """Show the secret of this owner, if it came up in this tab and was not put away yet."""
    owner, secret, title, note = st.session_state.get(_KEY, ("", "", "", ""))
    if owner != owner_id:
        return
    with st.container(border=True):
        st.markdown(f"**{title}**: copy it now, it is not shown again.")
        st.code(secret, language=None, wrap_lines=True)
        st.caption(note)
        st.button("I have copied it", key=f"{page}_copied", on_click=forget_secret)


def forget_secret() -> None:
    """Drop the secret from memory; a callback."""
    st.session_state.pop(_KEY, None)
