"""The people of the hub as staff see them: who they are, what they may, and how they get in."""

from collections.abc import Callable, Sequence

import streamlit as st

from lib.access import Actor, Role
from lib.hub import Hub
from lib.people import second_factor
from lib.people.account_links import renew, withdraw
from lib.people.users import Account, set_active, set_role
from lib.ui.formats import absolute, ago, counted, plain
from lib.ui.people.user_invitation import remember_link
from lib.ui.telling import tell

STATES = {"active": "Active", "invited": "Invited", "shut_out": "Shut out"}
_COLOURS = {"active": "green", "invited": "blue", "shut_out": "gray"}


def state_of(account: Account) -> str:
    """Return active, invited or shut_out."""
    if not account.is_active:
        return "shut_out"
    return "invited" if account.is_invited else "active"


def draw_users(hub: Hub, user: Actor, found: Sequence[Account]) -> None:
    """Draw one card per account."""
    for account in found:
        with st.container(border=True, key=f"users_row_{account.id}"):
            _draw_account(hub, user, account)


def _draw_account(hub: Hub, user: Actor, account: Account) -> None:
    state = state_of(account)
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(gap=None):
            st.markdown(
                f"**{plain(account.name)}** :gray-badge[{account.role.value.title()}] "
                f":{_COLOURS[state]}-badge[{STATES[state]}]"
                + (" :violet-badge[Second factor]" if account.has_second_factor else "")
            )
            st.text(account.email)
            st.caption(_facts(account), help=_moments(account))
        if account.id == user.id:
            st.caption("This is you.", width="content")
            return
        with st.popover("Change", icon=":material/manage_accounts:"):
            _draw_changes(hub, user, account)


def _facts(account: Account) -> str:
    seen = (
        f"signed in {ago(account.last_signed_in_at)}"
        if account.last_signed_in_at
        else "never signed in"
    )
    return " · ".join(
        (
            seen,
            counted(account.sessions, "open session"),
            counted(account.integrations, "integration"),
        )
    )


def _moments(account: Account) -> str:
    seen = account.last_signed_in_at
    last = f", last signed in {absolute(seen)}" if seen else ""
    return f"Added {absolute(account.created_at)}{last}"


def _draw_changes(hub: Hub, user: Actor, account: Account) -> None:
    key = f"users_role_{account.id}"
    st.selectbox(
        "Role",
        [role.value for role in Role],
        index=list(Role).index(account.role),
        format_func=str.title,
        key=key,
        on_change=_set_role,
        args=(hub, user, account, key),
        help="A new role ends their sessions.",
    )
    acts: list[tuple[str, str, Callable[[Hub, Actor, Account], None]]] = []
    if account.is_active:
        label = "New invitation link" if account.is_invited else "Password link"
        acts.append((label, "link", _make_link))
        if account.is_invited:
            acts.append(("Withdraw invitation", "withdraw", _withdraw))
    if account.has_second_factor:
        acts.append(("Turn second factor off", "factor", _remove_factor))
    is_in = account.is_active
    acts.append(("Shut out", "shut", _shut_out) if is_in else ("Let in again", "let", _let_in))
    for label, name, act in acts:
        key = f"users_{name}_{account.id}"
        st.button(label, key=key, width="stretch", on_click=act, args=(hub, user, account))


def _set_role(hub: Hub, user: Actor, account: Account, key: str) -> None:
    role = str(st.session_state[key])

    def act() -> str:
        set_role(hub, user, user_id=account.id, role=role)
        return f"{plain(account.email)} is {role} now. Their sessions have ended."

    tell(act)


def _make_link(hub: Hub, user: Actor, account: Account) -> None:
    def act() -> str:
        remember_link(renew(hub, user, account.id))
        return "The link is above the list. Older ones have ended."

    tell(act)


def _withdraw(hub: Hub, user: Actor, account: Account) -> None:
    def act() -> str:
        withdraw(hub, user, account.id)
        return "The invitation's link no longer works."

    tell(act)


def _remove_factor(hub: Hub, user: Actor, account: Account) -> None:
    def act() -> str:
        second_factor.turn_off_for(hub, user, account.id)
        return f"{plain(account.email)} signs in by password alone now."

    tell(act)


def _shut_out(hub: Hub, user: Actor, account: Account) -> None:
    def act() -> str:
        set_active(hub, user, user_id=account.id, is_active=False)
        return f"{plain(account.email)} is shut out and signed out."

    tell(act)


def _let_in(hub: Hub, user: Actor, account: Account) -> None:
    def act() -> str:
        set_active(hub, user, user_id=account.id, is_active=True)
        return f"{plain(account.email)} may sign in again."

    tell(act)
