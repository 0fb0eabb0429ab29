"""Who is signed in, as the script of one browser tab knows it; owns `st.session_state`."""

from datetime import datetime

import streamlit as st

from lib.access import Actor, Role
from lib.clock import now
from lib.people import sessions
from lib.ui.errors import show_refusal, stopping_on_error
from lib.ui.people.password_form import show_forced_change
from lib.ui.resources import get_hub

COOKIE_NAME = "hub_session"
LINK_COOKIE_NAME = "hub_link"

_SESSION_ID = "hub_session_id"
_TICKET = "hub_ticket"
_TICKET_UNTIL = "hub_ticket_until"
_SIGNED_OUT = "hub_signed_out"
_LINK_DONE = "hub_link_done"
_TAKE_LINK = """
const token = location.hash.startsWith('#link=') ? location.hash.slice(6) : '';
if (token) {
  history.replaceState(null, '', location.pathname);
  fetch('/session/link', {method: 'POST', headers: {'X-Hub-Link': token}})
    .then(() => location.reload());
}
"""


def require_user(*roles: Role) -> Actor:
    """Return the signed-in user, or draw why not and stop.

    Every page calls it first; fragments may call it again. Without roles any user passes.
    """
    with stopping_on_error():
        actor = find_actor()
    if actor is None:
        st.info("Sign in to see this page.", icon=":material/lock:")
        st.stop()
    if actor.must_change_password:
        show_forced_change(get_hub(), actor, session_id=current_session_id())
        st.stop()
    if roles and actor.role not in roles:
        show_refusal(f"This page is not for the role {actor.role}. Ask staff if you need it.")
        st.stop()
    return actor


def find_actor() -> Actor | None:
    """Return who is signed in now; forget everything of a session that has ended."""
    session_id = st.session_state.get(_SESSION_ID)
    if session_id is None:
        session_id = _session_of_cookie()
        if session_id is None:
            return None
        st.session_state[_SESSION_ID] = session_id
    actor = sessions.actor_of_session(get_hub(), session_id)
    if actor is None:
        st.session_state.clear()
    return actor


def current_session_id() -> str:
    """Return the id of the session that `require_user` has found."""
    return str(st.session_state[_SESSION_ID])


def begin_session(actor: Actor) -> None:
    """Open a session for whoever just proved a password, and keep its ticket to hand over."""
    session_id, ticket = sessions.start_session(
        get_hub(), actor, ip=client_ip(), user_agent=client_agent()
    )
    st.session_state.clear()
    st.session_state[_SESSION_ID] = session_id
    st.session_state[_TICKET] = ticket
    st.session_state[_TICKET_UNTIL] = now() + sessions.TICKET_LIFE


def find_link() -> str | None:
    """Return the token of the link that brought the visitor here, and have the browser look.

    The browser hands it over by a route and comes again, so that it stands in no address.
    """
    _run_in_browser(_TAKE_LINK)
    token = st.context.cookies.get(LINK_COOKIE_NAME)
    return str(token) if token and token != st.session_state.get(_LINK_DONE) else None


def leave_link(token: str) -> None:
    """Forget a link that was used or is not wanted, here and in the browser."""
    st.session_state[_LINK_DONE] = token
    _drop_link()


def sign_out() -> None:
    """End the session in every tab and have the next run clear the cookie."""
    session_id = st.session_state.get(_SESSION_ID)
    if session_id is not None:
        sessions.end_session(get_hub(), session_id)
    st.session_state.clear()
    st.session_state[_SIGNED_OUT] = True


def hand_over_cookie() -> None:
    """Have the browser swap the ticket for an HttpOnly cookie, which no script can set.

    Drawn again in every run while the ticket lives, since a quick rerun may replace the
    first drawing before the browser has seen it; a second swap changes nothing.
    """
    until: datetime | None = st.session_state.get(_TICKET_UNTIL)
    if until is None or until < now():
        return
    ticket = st.session_state[_TICKET]
    _run_in_browser(
        f"fetch('/session', {{method: 'POST', headers: {{'X-Hub-Ticket': '{ticket}'}}}})"
    )
    if st.context.cookies.get(LINK_COOKIE_NAME):
        _drop_link()


def clear_cookie_after_sign_out() -> None:
    """Have the browser drop the cookie; its row has ended already."""
    if st.session_state.get(_SIGNED_OUT):
        _run_in_browser("fetch('/session/end', {method: 'POST'})")


@st.fragment(run_every=5)
def watch_session() -> None:
    """Reload the tab soon after its session has ended elsewhere."""
    session_id = st.session_state.get(_SESSION_ID)
    if session_id is None or not sessions.is_live(get_hub(), session_id):
        st.rerun()


def client_ip() -> str:
    """Return the browser's address; Streamlit gives none for the same machine."""
    return st.context.ip_address or "local"


def client_agent() -> str:
    """Return what the browser calls itself."""
    return str(st.context.headers.get("User-Agent") or "")


def _drop_link() -> None:
    _run_in_browser("fetch('/session/link', {method: 'POST'})")


def _session_of_cookie() -> str | None:
    cookie = st.context.cookies.get(COOKIE_NAME)
    return sessions.find_session_of_cookie(get_hub(), str(cookie)) if cookie else None


def _run_in_browser(script: str) -> None:
    st.html(f"<script>{script}</script>", width="content", unsafe_allow_javascript=True)
