"""The inbound secret that was just issued, kept in the tab's own memory until it is put away."""

import streamlit as st

from lib.integrations import Issued

_KEY = "integrations_issued"


def remember_secret(issued: Issued) -> None:
    """Keep what `draw_secret` shows; nothing if no secret was issued."""
    if issued.inbound_secret is not None:
        st.session_state[_KEY] = (issued.integration.id, issued.inbound_secret)


def draw_secret(integration_id: str, *, note: str) -> None:
    """Show the secret of this connection, if it was issued in this tab and not put away yet.

    `note` says what the sender does with it.
    """
    owner, secret = st.session_state.get(_KEY, ("", ""))
    if owner != integration_id:
        return
    with st.container(border=True):
        st.markdown("**Inbound secret**: copy it now, it is not shown again.")
        st.code(secret, language=None, wrap_lines=True)
        st.caption(note)
        st.button("I have copied it", key="integrations_copied", on_click=forget_secret)


def forget_secret() -> None:
    """Drop the secret from memory; a callback."""
    st.session_state.pop(_KEY, None)
