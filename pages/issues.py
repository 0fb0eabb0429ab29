"""Dead letters by their cause: the list, and one of them in detail."""

import streamlit as st

from lib.access import Actor, Role
from lib.outgoing.issues import get_issue
from lib.ui.deliveries.issue_detail import draw_issue
from lib.ui.deliveries.issue_list import OPEN, draw_issue_list
from lib.ui.deliveries.replay_dialog import draw_progress
from lib.ui.errors import reporting_errors, stopping_on_error
from lib.ui.heads import draw_head
from lib.ui.people.session import require_user
from lib.ui.resources import get_hub

user = require_user(Role.MEMBER, Role.STAFF)


def _go_to_list() -> None:
    st.query_params.pop(OPEN, None)


def _draw_one(actor: Actor, issue_id: str) -> None:
    st.button(
        "All issues",
        key="issues_back",
        icon=":material/arrow_back:",
        type="tertiary",
        on_click=_go_to_list,
    )
    with stopping_on_error():
        found = get_issue(get_hub(), actor, issue_id)
    st.title("Issue", anchor=False)
    draw_progress(get_hub(), actor)
    draw_issue(get_hub(), actor, found)


def _draw_list(actor: Actor) -> None:
    draw_head(
        "Issues",
        "Deliveries that were given up, grouped by destination and cause. Mend the cause, then "
        "replay what it stopped.",
    )
    draw_progress(get_hub(), actor)
    with reporting_errors():
        draw_issue_list(get_hub(), actor)


if OPEN in st.query_params:
    _draw_one(user, st.query_params[OPEN])
else:
    _draw_list(user)
