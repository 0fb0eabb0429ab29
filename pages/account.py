"""The reader's own account: who they are, how they sign in, their sessions, their tokens."""

import streamlit as st

from lib.access import Actor
from lib.ui.heads import draw_head
from lib.ui.people.password_form import show_password_form
from lib.ui.people.profile import show_profile
from lib.ui.people.second_factor_form import draw_second_factor
from lib.ui.people.session import current_session_id, require_user
from lib.ui.people.session_list import draw_sessions
from lib.ui.people.token_list import draw_tokens
from lib.ui.resources import get_hub
from lib.ui.telling import show_told

user = require_user()


def _show_password(actor: Actor) -> None:
    st.subheader("Password", anchor=False)
    st.caption("Changing it signs you out everywhere else.")
    if show_password_form(get_hub(), actor, session_id=current_session_id()):
        st.success(
            "Your password is changed and your other sessions have ended.",
            icon=":material/check_circle:",
        )


draw_head("Account", "Who you are here, how you sign in, and the programs that act for you.")
show_profile(get_hub(), user)
left, right = st.columns(2, gap="large")
with left:
    _show_password(user)
    draw_second_factor(get_hub(), user)
with right:
    draw_sessions(get_hub(), user, here=current_session_id())
draw_tokens(get_hub(), user)
show_told()
