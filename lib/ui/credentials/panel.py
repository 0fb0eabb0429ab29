"""The credentials of one integration, as its own screen shows them."""

import streamlit as st

from lib.access import Actor
from lib.connections.integrations import Integration
from lib.credentials.views import credentials_of
from lib.hub import Hub
from lib.ui.credentials.list import OPEN, draw_table
from lib.ui.links import draw_link, turn_to


def draw_integration_credentials(hub: Hub, user: Actor, item: Integration) -> None:
    """Draw every credential of a connection; a chosen row opens it on the Credentials screen."""
    rows = credentials_of(hub, user, item.id)
    if chosen := draw_table(rows, user, page="integrations"):
        turn_to("credentials", {OPEN: chosen})
    st.caption("Choose a row to test it, to rotate it or to see what hangs on it.")
    draw_link("credentials", "All credentials", icon=":material/key:")
