"""The first screen: what came in, what is wrong, and what needs a person."""

import streamlit as st

from lib import overview
from lib.access import Actor, Role
from lib.ui.charts import draw_volume
from lib.ui.formats import ago, counted, duration
from lib.ui.integration_cards import draw_cards
from lib.ui.needs import draw_needs
from lib.ui.onboarding import draw_checklist
from lib.ui.resources import get_hub
from lib.ui.session import require_user

user = require_user()

_PERIODS = {"24h": 24, "7d": 168}


def _draw_head() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.title("Overview", anchor=False, width="stretch")
        worker = overview.worker_state(get_hub())
        if worker.is_alive:
            st.badge("Worker at work", icon=":material/circle:", color="green")
        else:
            seen = f"last seen {ago(worker.beat_at)}" if worker.beat_at else "never seen"
            st.badge(
                f"No worker: {seen}",
                icon=":material/warning:",
                color="red",
                help="Events are received and kept, but wait to be processed.",
            )


def _draw_tiles(actor: Actor) -> None:
    found = overview.tiles(get_hub(), actor)
    oldest = found.oldest_pending_seconds
    grid = st.grid(4, min_column_width=160)
    with grid:
        st.metric("Received, 24 h", f"{found.received:,}", border=True)
        st.metric("Rejected, 24 h", f"{found.rejected:,}", border=True)
        st.metric("Failed now", f"{found.failed:,}", border=True)
        st.metric(
            "Oldest pending",
            "none" if oldest is None else duration(oldest),
            border=True,
            help=f"{counted(found.pending, 'event')} waiting for the worker.",
        )


def _draw_volume(actor: Actor) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("Volume", anchor=False, width="stretch")
        period = st.segmented_control(
            "Period",
            list(_PERIODS),
            default="24h",
            required=True,
            key="period",
            bind="query-params",
            label_visibility="collapsed",
        )
    hours = _PERIODS[period or "24h"]
    draw_volume(overview.volume(get_hub(), actor, hours=hours), hours=hours)


_draw_head()
cards = overview.cards(get_hub(), user)
if user.role is not Role.ANALYST and all(card.last_event_at is None for card in cards):
    draw_checklist(get_hub(), user, cards)
if cards:
    _draw_tiles(user)
    if user.role is not Role.ANALYST:
        draw_needs(get_hub(), user, cards)
    _draw_volume(user)
    st.subheader("Integrations", anchor=False)
    draw_cards(cards, page="overview", user=user)
elif user.role is Role.ANALYST:
    st.info("No member has added an integration yet.")
