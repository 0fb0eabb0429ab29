"""Testing tools: play a provider, catch requests, try a route, work out and examine signatures."""

import streamlit as st

from lib.access import Actor, Role
from lib.intake.rejections import list_rejections
from lib.ui.address_fields import kept, one_of
from lib.ui.errors import reporting_errors
from lib.ui.formats import ago
from lib.ui.heads import draw_head
from lib.ui.people.session import require_user
from lib.ui.rejected.doctor import draw_doctor
from lib.ui.resources import get_hub
from lib.ui.testing.calculator_form import draw_calculator
from lib.ui.testing.code_search import draw_code_search
from lib.ui.testing.simulator_form import draw_simulator
from lib.ui.testing.trial_endpoints import draw_endpoints
from lib.ui.webhooks.route_trial import draw_route_trial

user = require_user(Role.MEMBER, Role.STAFF)

_EXAMINED = 50


def _draw_doctor(actor: Actor) -> None:
    rows = list_rejections(get_hub(), actor, limit=_EXAMINED).rows
    if not rows:
        st.success("No request was refused.", icon=":material/check_circle:")
        return
    names = {
        row.id: f"{row.integration_name}: {row.reason.replace('_', ' ')}, {ago(row.created_at)}"
        for row in rows
    }
    chosen = st.selectbox(
        "Refused request",
        list(names),
        key="testing_rejection",
        format_func=lambda each: names.get(each, each),
    )
    draw_doctor(get_hub(), actor, chosen, page="testing")


_TOOLS = {
    "Simulator": lambda: draw_simulator(get_hub(), user),
    "Bin & chaos": lambda: draw_endpoints(get_hub(), user),
    "Route test": lambda: draw_route_trial(get_hub(), user),
    "Calculator": lambda: draw_calculator(user),
    "Codes": draw_code_search,
    "Doctor": lambda: _draw_doctor(user),
}

draw_head("Testing tools", "Play a provider, catch requests, and find out why one is refused.")
tool = st.segmented_control(
    "Tool",
    list(_TOOLS),
    required=True,
    label_visibility="collapsed",
    **kept("testing", "tool", one_of(_TOOLS), empty="Simulator"),
)
with reporting_errors():
    _TOOLS[tool]()
