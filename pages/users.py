"""The people of the hub and the tokens that speak for them: invite, help in, shut out, revoke."""

import streamlit as st

from lib.access import Actor, Role
from lib.hub import Hub
from lib.people.users import list_users
from lib.ui.address_choice import choose_named
from lib.ui.address_fields import kept, one_of, text
from lib.ui.formats import counted
from lib.ui.heads import draw_head
from lib.ui.people.session import require_user
from lib.ui.people.token_table import draw_token_table
from lib.ui.people.user_invitation import draw_invitation, draw_issued_link
from lib.ui.people.user_list import STATES, draw_users, state_of
from lib.ui.resources import get_hub
from lib.ui.telling import show_told

user = require_user(Role.STAFF)

_PEOPLE, _TOKENS = "People", "API tokens"
_MOST = 50
_MORE = f" The first {_MOST} are shown; search for others."


def _draw_people(hub: Hub, actor: Actor) -> None:
    found = list_users(hub, actor)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        roles = {role.value: role.value.title() for role in Role}
        role = choose_named("Role", roles, page="users", parameter="role")
        state = choose_named("State", STATES, page="users", parameter="state")
        words = st.text_input("Search", placeholder="Name or e-mail", **kept("users", "q", text))
    shown = [
        account
        for account in found
        if role in (None, account.role)
        and state in (None, state_of(account))
        and (words or "").strip().lower() in f"{account.name} {account.email}".lower()
    ]
    st.caption(f"{counted(len(shown), 'user')} of {len(found):,}.{_MORE * (len(shown) > _MOST)}")
    draw_users(hub, actor, shown[:_MOST])
    if not shown:
        st.info(
            "No user matches. Clear a filter, or invite somebody.", icon=":material/person_off:"
        )


with draw_head(
    "Users", "Everybody who may sign in. Roles decide what they see; every change is audited."
):
    view = st.segmented_control(
        "View",
        [_PEOPLE, _TOKENS],
        required=True,
        label_visibility="collapsed",
        **kept("users", "view", one_of([_TOKENS]), empty=_PEOPLE),
    )
    if st.button("Invite", type="primary", icon=":material/person_add:", key="users_invite_open"):
        draw_invitation(get_hub(), user)
draw_issued_link()
show_told()
if view == _TOKENS:
    draw_token_table(get_hub(), user)
else:
    _draw_people(get_hub(), user)
