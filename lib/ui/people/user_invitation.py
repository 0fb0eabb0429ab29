"""Inviting somebody: the form, and the link that is shown this once."""

from urllib.parse import urlsplit

import streamlit as st

from lib.access import Actor, Role
from lib.errors import HubError
from lib.hub import Hub
from lib.people.account_links import IssuedLink, invite, url_of
from lib.ui.form_problems import draw_other_problem, draw_problem, forget_problem, keep_problem
from lib.ui.formats import absolute, plain
from lib.ui.issued_secret import draw_secret, forget_secret, remember_secret

_PAGE = "users"
_OWNER = "account_link"
_EMAIL, _NAME, _ROLE = "users_email", "users_name", "users_role"


def draw_issued_link() -> None:
    """Draw the link that came up last in this tab, until it is put away."""
    draw_secret(_OWNER, page=_PAGE)


@st.dialog("Invite somebody", on_dismiss=lambda: forget_problem(_PAGE))
def draw_invitation(hub: Hub, user: Actor) -> None:
    """Draw the form in a dialog."""
    with st.form("users_invite", border=False):
        draw_other_problem(_PAGE, ("email", "role"))
        st.text_input("E-mail", key=_EMAIL)
        draw_problem(_PAGE, "email")
        st.text_input("Name", key=_NAME, help="Blank for the first part of the address.")
        st.selectbox(
            "Role",
            [role.value for role in Role],
            format_func=str.title,
            key=_ROLE,
            help="Members see their own, staff everything, analysts charts and masked events.",
        )
        draw_problem(_PAGE, "role")
        st.form_submit_button("Make the link", type="primary", on_click=_invite, args=(hub, user))


def remember_link(link: IssuedLink) -> None:
    """Keep a link for `draw_issued_link`."""
    remember_secret(
        _OWNER,
        url_of(link, _own_address()),
        title=f"Link for {plain(link.email)}",
        note=f"Send it by a way that only they read. It works once, until "
        f"{absolute(link.expires_at)}.",
    )


def _invite(hub: Hub, user: Actor) -> None:
    forget_problem(_PAGE)
    forget_secret()
    state = st.session_state
    try:
        link = invite(
            hub, user, email=str(state[_EMAIL]), name=str(state[_NAME]), role=str(state[_ROLE])
        )
    except HubError as error:
        keep_problem(_PAGE, error)
        return
    remember_link(link)
    st.rerun()


def _own_address() -> str:
    """Return the address under which this browser reached the dashboard."""
    parts = urlsplit(st.context.url or "")
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else "http://localhost:8501"
