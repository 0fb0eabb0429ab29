"""The first screen: what came in, what is wrong, and what needs a person."""

from collections.abc import Sequence

import streamlit as st

from lib import overview
from lib.access import Actor, Role
from lib.ui.address_fields import flag, kept, one_of
from lib.ui.heads import draw_head
from lib.ui.integrations.cards import draw_cards, draw_table
from lib.ui.links import turn_to
from lib.ui.overview.charts import draw_volume
from lib.ui.overview.needs import draw_needs
from lib.ui.overview.onboarding import draw_checklist
from lib.ui.overview.tiles import draw_tiles
from lib.ui.people.session import require_user
from lib.ui.resources import get_hub

user = require_user()

_PERIODS = {"24h": 24, "7d": 168}
# More connections than these are easier to compare as rows.
_MOST_CARDS = 12


def _draw_volume(actor: Actor) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("Volume", anchor=False, width="stretch")
        period = st.segmented_control(
            "Period",
            list(_PERIODS),
            required=True,
            label_visibility="collapsed",
            **kept("overview", "period", one_of(_PERIODS), empty="24h"),
        )
    hours = _PERIODS[period or "24h"]
    draw_volume(overview.volume(get_hub(), actor, hours=hours), hours=hours)


def _draw_integrations(actor: Actor, shown: Sequence[overview.Card]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("Integrations", anchor=False, width="stretch")
        as_table = st.toggle(
            "Table", **kept("overview", "table", flag, empty=len(shown) > _MOST_CARDS)
        )
    shown = overview.most_urgent_first(shown)
    if not as_table:
        draw_cards(shown, page="overview", user=actor)
    elif chosen := draw_table(shown, page="overview", user=actor):
        page = "activity" if actor.role is Role.ANALYST else "integrations"
        turn_to(page, {"integration" if actor.role is Role.ANALYST else "open": chosen})


draw_head("Overview", "What came in, what arrived, and what needs you.")
tiles, cards = overview.first_screen(get_hub(), user)
if user.role is not Role.ANALYST and all(card.last_event_at is None for card in cards):
    draw_checklist(get_hub(), user, cards)
if cards:
    draw_tiles(tiles)
    if user.role is not Role.ANALYST:
        draw_needs(get_hub(), user, cards)
    _draw_volume(user)
    _draw_integrations(user, cards)
elif user.role is Role.ANALYST:
    st.info("No member has added an integration yet.")
