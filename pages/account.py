"""The reader's own account: who they are, their password, their sessions, their tokens."""

import streamlit as st

from lib.access import Actor
from lib.sessions import OpenSession, end_all_sessions, list_sessions
from lib.ui.browsers import name_browser
from lib.ui.password_form import show_password_form
from lib.ui.profile import show_profile
from lib.ui.resources import get_hub
from lib.ui.session import current_session_id, require_user
from lib.ui.token_list import draw_tokens

user = require_user()


def _show_password(actor: Actor) -> None:
    st.subheader("Password", anchor=False)
    st.caption("Changing it signs you out everywhere else.")
    if show_password_form(get_hub(), actor, session_id=current_session_id()):
        st.success(
            "Your password is changed and your other sessions have ended.",
            icon=":material/check_circle:",
        )


def _show_sessions(actor: Actor) -> None:
    rows = list_sessions(get_hub(), actor)
    st.subheader("Where you are signed in", anchor=False)
    st.caption("End the rest if you see a browser that you do not know.")
    st.dataframe(
        [_session_row(row) for row in rows],
        hide_index=True,
        alt="Browsers that are signed in to this account",
        column_config={
            "last_seen_at": st.column_config.DatetimeColumn("Last seen", format="distance"),
        },
    )
    st.button(
        "Sign out everywhere else",
        icon=":material/devices_off:",
        disabled=len(rows) < 2,
        on_click=_end_others,
        args=(actor,),
        key="account_end_others",
    )


def _session_row(row: OpenSession) -> dict[str, object]:
    is_here = row.id == current_session_id()
    return {
        "Browser": name_browser(row.user_agent) + (" (this one)" if is_here else ""),
        "Address": "this machine" if row.ip == "local" else row.ip,
        "last_seen_at": row.last_seen_at,
    }


def _end_others(actor: Actor) -> None:
    count = end_all_sessions(get_hub(), actor, except_=current_session_id())
    st.toast(f"Ended {count} other session{'' if count == 1 else 's'}.", icon=":material/logout:")


st.title("Account", anchor=False)
show_profile(user)
left, right = st.columns(2, gap="large")
with left:
    _show_password(user)
with right:
    _show_sessions(user)
draw_tokens(get_hub(), user)
