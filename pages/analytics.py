"""Figures over time: volume, outcomes, failures, rhythm and messages, and the monthly report."""

import streamlit as st

from lib.ui.address_fields import kept, one_of
from lib.ui.analytics.deliveries import draw_attempts, draw_latency, draw_outcomes
from lib.ui.analytics.failures import draw_causes, draw_destinations
from lib.ui.analytics.messages import draw_funnels, draw_waits
from lib.ui.analytics.report import draw_report
from lib.ui.analytics.rhythm import draw_heat_map, draw_silences
from lib.ui.analytics.view import draw_view
from lib.ui.analytics.volume import draw_figures, draw_volume
from lib.ui.errors import stopping_on_error
from lib.ui.heads import draw_head
from lib.ui.people.session import require_user
from lib.ui.resources import get_hub

user = require_user()

_SECTIONS = {
    "Deliveries": (draw_outcomes, draw_latency, draw_attempts),
    "Failures": (draw_causes, draw_destinations),
    "Rhythm": (draw_heat_map, draw_silences),
    "Messages": (draw_funnels, draw_waits),
    "Report": (draw_report,),
}

draw_head("Analytics", "Volume, outcomes and speed over time.")
with stopping_on_error():
    view = draw_view(get_hub(), user)
    draw_figures(view)
    draw_volume(view)
    section = st.segmented_control(
        "Show",
        list(_SECTIONS),
        required=True,
        label_visibility="collapsed",
        **kept("analytics", "show", one_of(_SECTIONS), empty="Deliveries"),
    )
    for draw in _SECTIONS[section or "Deliveries"]:
        draw(view)
