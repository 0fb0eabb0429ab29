"""The sign-in screen: streamlit-authenticator's form and flow over our own check.

Its cookie, its lockout and its list of all users are replaced: they cannot be revoked, never
expire, and need every hash in memory.
"""

from typing import Any

import streamlit as st
from streamlit_authenticator.controllers import AuthenticationController
from streamlit_authenticator.models import AuthenticationModel
from streamlit_authenticator.views import Authenticate

from lib.access import Actor
from lib.errors import CodeNeeded, HubError
from lib.hub import Hub
from lib.people import second_factor
from lib.people.sign_in import authenticate
from lib.ui.errors import show_refusal, stopping_on_error
from lib.ui.people.account_link_form import show_link
from lib.ui.people.code_form import ask_for_code, show_code_form, waits_for_code
from lib.ui.people.session import (
    begin_session,
    clear_cookie_after_sign_out,
    client_ip,
    find_link,
    leave_link,
)
from lib.ui.resources import get_hub

_LABELS = {
    "Form name": "Sign in",
    "Username": "E-mail",
    "Password": "Password",
    "Login": "Sign in",
}
_EMPTY = "Give your e-mail address and your password."


class _NoCookie:
    """Leaves the cookie to the session route, which can make it HttpOnly."""

    def get_cookie(self) -> None:
        """Return nothing: a signed-in visitor never reaches this form."""

    def set_cookie(self) -> None:
        """Do nothing: the ticket is handed over after the rerun."""

    def delete_cookie(self) -> None:
        """Do nothing: signing out is a button of ours."""


# The package has no types, so its classes count as Any.
class _Check(AuthenticationModel):  # type: ignore[misc]
    """Asks the hub about one name at a time, and keeps the outcome."""

    def __init__(self, hub: Hub) -> None:
        super().__init__(credentials={"usernames": {}}, auto_hash=False)
        self.hub = hub
        self.actor: Actor | None = None
        self.refusal: str | None = None
        self.code_needed_of: str | None = None

    def login(self, username: str = "", password: str = "", *options: Any, **more: Any) -> Any:
        """Refuse an empty form here, where it costs nobody an attempt."""
        if not username or not password:
            self.refusal = _EMPTY
            return None
        return super().login(username, password, *options, **more)

    def check_credentials(self, username: str, password: str) -> bool:
        """Answer the library's question; it wants the user in its dict afterwards."""
        try:
            self.actor = authenticate(self.hub, username, password=password, ip=client_ip())
        except CodeNeeded as needed:
            self.code_needed_of = needed.user_id
            return False
        except HubError as error:
            self.refusal = error.message
            return False
        self.credentials["usernames"][username] = {
            "email": self.actor.email,
            "name": self.actor.name,
            "roles": [self.actor.role.value],
        }
        return True


class _SignIn(Authenticate):  # type: ignore[misc]
    """The library's login form without its constructor, which mounts a cookie frame."""

    def __init__(self, check: _Check) -> None:
        self.path = None
        # Its default sleeps 0.7 s in every run, in which deep links get lost.
        self.attrs = {"login_sleep_time": 0}
        self.cookie_controller = _NoCookie()
        self.authentication_controller = AuthenticationController({"usernames": {}}, None, False)
        self.authentication_controller.authentication_model = check


def show_login() -> None:
    """Draw the step that is due; after the last one begin the session and run the page again."""
    clear_cookie_after_sign_out()
    with stopping_on_error():
        hub = get_hub()
    st.space("large")
    _, middle, _ = st.columns([1, 1.2, 1])
    with middle:
        st.title(":primary[:material/hub:] Members Hub", anchor=False)
        st.caption("Your integrations, their events and their deliveries in one place.")
        actor = _show_step(hub)
    if actor is not None:
        begin_session(actor)
        st.rerun()


def _show_step(hub: Hub) -> Actor | None:
    """Draw a link's form, the second step or the first; return who is through."""
    if token := find_link():
        return _follow_link(hub, token)
    if waits_for_code():
        return show_code_form(hub, ip=client_ip())
    return _show_password(hub)


def _follow_link(hub: Hub, token: str) -> Actor | None:
    proven = show_link(hub, token)
    if proven is None or not second_factor.is_asked_for(hub, proven):
        return proven
    # A new password alone is not the second factor.
    leave_link(token)
    ask_for_code(proven.id)
    return st.rerun()


def _show_password(hub: Hub) -> Actor | None:
    check = _Check(hub)
    _SignIn(check).login(fields=_LABELS, key="login_form")
    if check.code_needed_of is not None:
        ask_for_code(check.code_needed_of)
        return st.rerun()
    if check.refusal:
        show_refusal(check.refusal)
    st.caption("No account, or a forgotten password? Ask your staff for a link.")
    return check.actor
