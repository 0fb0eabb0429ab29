"""What somebody without events sees: three steps, and a live line that waits for the third."""

from collections.abc import Sequence

import streamlit as st

from lib.access import Actor
from lib.hub import Hub
from lib.overview import Card
from lib.ui.formats import plain
from lib.ui.integrations.first_event import await_first_event
from lib.ui.links import draw_link


def draw_checklist(hub: Hub, user: Actor, shown: Sequence[Card]) -> None:
    """Draw the three steps to the first event."""
    with st.container(border=True):
        st.subheader("Three steps to your first event", anchor=False)
        _draw_step("Add an integration", is_done=bool(shown))
        if not shown:
            draw_link("integrations", "Choose a service", query={"add": ""}, icon=":material/add:")
        _draw_step("Paste its address at the provider", is_done=False)
        for card in shown[:3]:
            draw_link(
                "integrations",
                f"Address of {plain(card.integration.name)}",
                query={"open": card.integration.id},
                icon=":material/content_copy:",
            )
        _draw_step("Receive the first event", is_done=False)
        await_first_event(hub, user, integration_id=None)


def _draw_step(text: str, *, is_done: bool) -> None:
    icon = ":green[:material/check_circle:]" if is_done else ":material/radio_button_unchecked:"
    st.markdown(f"{icon} **{text}**")
