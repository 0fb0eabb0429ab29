"""The addresses of the hub: what the environment says, and whether the public one is reached."""

import streamlit as st

from lib.access import Actor
from lib.hub import Hub
from lib.public_address import list_environment, probe_public_url
from lib.ui.formats import plain
from lib.ui.people.session import client_ip


def draw_addresses(hub: Hub, user: Actor) -> None:
    """Draw the self-test, this browser's address and the values."""
    with st.container(border=True):
        st.subheader("Public address", anchor=False)
        st.code(hub.settings.public_url, language=None)
        st.caption("Vendors call it, and signatures are checked against it.")
        if st.button("Test it", icon=":material/network_check:", key="settings_address_test"):
            _draw_test(hub, user)
    with st.container(border=True):
        st.subheader("This browser", anchor=False)
        st.markdown(f"The dashboard sees it at **{plain(client_ip())}**.")
        st.caption(
            "Behind a proxy the receiver believes X-Forwarded-For only from HUB_TRUSTED_PROXIES."
        )
    st.subheader("Set by the environment", anchor=False)
    rows = list_environment(hub, user)
    st.dataframe(
        [
            {
                "name": row.name,
                "value": row.value or "none",
                "origin": "Environment" if row.is_set else "Default",
                "line": row.line,
            }
            for row in rows
        ],
        key="settings_environment",
        hide_index=True,
        alt=f"{len(rows)} values of the environment.",
        column_config={
            "name": "Name",
            "value": st.column_config.TextColumn("Value", width="medium"),
            "origin": "From",
            "line": st.column_config.TextColumn("Line to set", width="large"),
        },
    )
    st.caption("Change a line in the environment, then restart the hub's processes.")


def _draw_test(hub: Hub, user: Actor) -> None:
    with st.spinner("Asking…"):
        found = probe_public_url(hub, user)
    seen = (
        f" The receiver believes it was asked from {plain(found.seen_ip)}." if found.seen_ip else ""
    )
    if found.outcome == "ourselves":
        st.success(found.message + seen, icon=":material/check_circle:")
    elif found.outcome == "local":
        st.warning(found.message + seen, icon=":material/warning:")
    else:
        st.error(found.message, icon=":material/error:")
