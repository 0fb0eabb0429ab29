"""Where the reader is signed in: every browser with a way to end it."""

import streamlit as st

from lib.access import Actor
from lib.hub import Hub
from lib.people.sessions import OpenSession, end_all_sessions, end_own_session, list_sessions
from lib.ui.formats import absolute, ago, counted, plain
from lib.ui.people.browsers import name_browser
from lib.ui.telling import tell


def draw_sessions(hub: Hub, user: Actor, *, here: str) -> None:
    """Draw the section; `here` is the session of this browser."""
    rows = list_sessions(hub, user)
    st.subheader("Where you are signed in", anchor=False)
    st.caption("End what you do not know, and then change your password.")
    for row in rows:
        _draw_row(hub, user, row, is_here=row.id == here)
    st.button(
        "Sign out everywhere else",
        icon=":material/devices_off:",
        disabled=len(rows) < 2,
        on_click=_end_others,
        args=(hub, user, here),
        key="account_end_others",
    )


def _draw_row(hub: Hub, user: Actor, row: OpenSession, *, is_here: bool) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(gap=None):
            mark = " :green-badge[This one]" if is_here else ""
            st.markdown(f"**{plain(name_browser(row.user_agent))}**{mark}")
            place = "this machine" if row.ip == "local" else row.ip
            st.caption(
                f"{plain(place)} · seen {ago(row.last_seen_at)}",
                help=f"Signed in {absolute(row.created_at)}",
            )
        if not is_here:
            st.button("End", key=f"account_end_{row.id}", on_click=_end, args=(hub, user, row.id))


def _end(hub: Hub, user: Actor, session_id: str) -> None:
    def act() -> str:
        end_own_session(hub, user, session_id)
        return "That browser is signed out."

    tell(act)


def _end_others(hub: Hub, user: Actor, here: str) -> None:
    tell(lambda: f"Ended {counted(end_all_sessions(hub, user, except_=here), 'other session')}.")
