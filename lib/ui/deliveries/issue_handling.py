"""Who looks after an issue, and for how long nobody is told of it."""

from datetime import timedelta

import streamlit as st

from lib.access import Actor
from lib.clock import now
from lib.hub import Hub
from lib.outgoing.issue_handling import MUTES, assign, assignees, mute
from lib.outgoing.issues import IssueRow
from lib.ui.deliveries.delivery_formats import told_apart
from lib.ui.telling import do_and_tell

_WHO = "issues_assignee"


def draw_handling(hub: Hub, user: Actor, row: IssueRow) -> None:
    """Draw the choice of the assignee and the buttons that mute."""
    names = told_apart(assignees(hub, user, row.id))
    options = [None, *names]

    def give() -> str:
        who = assign(hub, user, row.id, st.session_state.get(_WHO)).assignee
        return f"{who} looks after it." if who else "Nobody looks after it."

    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Assignee",
            options,
            index=options.index(row.assignee_id) if row.assignee_id in names else 0,
            key=_WHO,
            width=240,
            format_func=lambda each: names[each] if each else "Nobody",
            on_change=do_and_tell,
            args=(give,),
        )
        for label, span in MUTES.items():
            _draw_mute(hub, user, row.id, f"Mute {label}", span)
        if row.muted_until and row.muted_until > now():
            _draw_mute(hub, user, row.id, "Unmute", timedelta(0))


def _draw_mute(hub: Hub, user: Actor, issue_id: str, label: str, span: timedelta) -> None:
    def act() -> str:
        mute(hub, user, issue_id, span)
        return "Muted." if span else "Alerts are sent again."

    st.button(
        label,
        key=f"issues_mute_{int(span.total_seconds())}",
        icon=":material/notifications_paused:" if span else ":material/notifications_active:",
        on_click=do_and_tell,
        args=(act,),
    )
