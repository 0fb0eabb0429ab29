"""The API tokens of the account page: make one, see how they are used, revoke them."""

import streamlit as st

from lib.access import Actor
from lib.errors import HubError
from lib.hub import Hub
from lib.people import api_tokens
from lib.people.api_tokens import SCOPES, Token
from lib.ui.form_problems import draw_other_problem, draw_problem, forget_problem, keep_problem
from lib.ui.formats import absolute, ago, plain
from lib.ui.issued_secret import draw_secret, forget_secret, remember_secret
from lib.ui.telling import tell

_PAGE = "account"
_NAME, _SCOPES, _DAYS = "account_token_name", "account_token_scopes", "account_token_days"
_LIFETIMES = {30: "30 days", 90: "90 days", 365: "1 year", None: "No expiry"}


def draw_tokens(hub: Hub, user: Actor) -> None:
    """Draw the section."""
    st.subheader("API tokens", anchor=False)
    st.caption(
        "Programs and automation services call the hub with one. A token reaches what its scopes "
        "name, and never further than your role."
    )
    draw_secret(user.id, page=_PAGE)
    _draw_form(hub, user)
    found = api_tokens.list_tokens(hub, user)
    for token in found:
        _draw_token(hub, user, token)
    if not found:
        st.info("No tokens yet.", icon=":material/key_off:")


def _draw_form(hub: Hub, user: Actor) -> None:
    with st.form("account_token", clear_on_submit=False):
        draw_other_problem(_PAGE, ("name", "scopes"))
        left, right = st.columns([2, 1])
        left.text_input("Name", help="What it is for, such as the program's name.", key=_NAME)
        right.selectbox(
            "Expires after",
            options=list(_LIFETIMES),
            index=1,
            format_func=lambda days: _LIFETIMES[days],
            key=_DAYS,
        )
        draw_problem(_PAGE, "name")
        st.multiselect(
            "Scopes",
            options=list(SCOPES),
            format_func=lambda scope: f"{scope}: {SCOPES[scope]}",
            placeholder="Choose what it may do",
            key=_SCOPES,
        )
        draw_problem(_PAGE, "scopes")
        st.form_submit_button(
            "Create token", icon=":material/key:", on_click=_create, args=(hub, user)
        )


def _create(hub: Hub, user: Actor) -> None:
    forget_problem(_PAGE)
    forget_secret()
    try:
        issued = api_tokens.create(
            hub,
            user,
            name=str(st.session_state[_NAME]),
            scopes=list(st.session_state[_SCOPES]),
            days=st.session_state[_DAYS],
        )
    except HubError as error:
        keep_problem(_PAGE, error)
        return
    note = "The program sends it as `Authorization: Bearer …` or as `X-API-Key`."
    remember_secret(user.id, issued.secret, title=f"Token {plain(issued.token.name)}", note=note)
    st.session_state[_NAME] = ""
    st.session_state[_SCOPES] = []


def _draw_token(hub: Hub, user: Actor, token: Token) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        with st.container(gap=None):
            st.markdown(f"**{plain(token.name)}** `…{token.last4}`")
            st.caption(f"{plain(', '.join(token.scopes))} · {_say_age(token)}")
        st.button(
            "Revoke",
            icon=":material/block:",
            key=f"account_token_revoke_{token.id}",
            on_click=_revoke,
            args=(hub, user, token),
        )


def _revoke(hub: Hub, user: Actor, token: Token) -> None:
    def act() -> str:
        api_tokens.revoke(hub, user, token.id)
        return f"The token {plain(token.name)} is revoked."

    forget_secret()
    tell(act)


def _say_age(token: Token) -> str:
    used = "never used" if token.last_used_at is None else f"last used {ago(token.last_used_at)}"
    if token.expires_at is None:
        return f"{used} · no expiry"
    if token.is_expired:
        return f"{used} · expired {plain(absolute(token.expires_at))}"
    return f"{used} · expires {plain(absolute(token.expires_at))}"
