"""One-time links: who makes them, that they work once, and what they change."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from sqlmodel import select

from lib.access import Actor, Role
from lib.clock import now
from lib.errors import HubError, InvalidInput, NotAllowed, NotFound
from lib.hub import Hub
from lib.models import AccountLink, AuditEntry
from lib.people import account_links, passwords
from lib.people.account_links import IssuedLink, invite, look_up, redeem, renew, withdraw
from lib.people.sessions import is_live, start_session
from lib.people.sign_in import authenticate
from lib.people.users import list_users, set_active
from tests.factories import make_user

NEW = "another good password"
EMAIL = "nora@example.com"


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "COST", 4)


@pytest.fixture
def sam(hub: Hub) -> Actor:
    return make_user(hub, "sam@example.com", "staff")


def invite_nora(hub: Hub, sam: Actor) -> IssuedLink:
    return invite(hub, sam, email=EMAIL, name="Nora", role="analyst")


def enter(hub: Hub, password: str) -> Actor:
    return authenticate(hub, EMAIL, password=password, ip="203.0.113.1")


def test_the_invited_choose_a_password_and_sign_in(hub: Hub, sam: Actor) -> None:
    link = invite_nora(hub, sam)
    found = look_up(hub, link.token)
    assert (found.purpose, found.email, found.role) == ("invite", EMAIL, Role.ANALYST)
    assert next(item for item in list_users(hub, sam) if item.email == EMAIL).is_invited
    with pytest.raises(NotAllowed):
        enter(hub, "")
    nora = redeem(hub, link.token, password=NEW)
    assert enter(hub, NEW) == nora
    assert not next(item for item in list_users(hub, sam) if item.email == EMAIL).is_invited


def test_only_the_digest_is_kept_and_nothing_repeats_the_token(hub: Hub, sam: Actor) -> None:
    link = invite_nora(hub, sam)
    with hub.database.read() as session:
        rows = [*session.exec(select(AccountLink)).all(), *session.exec(select(AuditEntry)).all()]
    assert all(link.token not in str(vars(row)) for row in rows)
    assert link.token not in repr(link)
    assert account_links.url_of(link, "https://hub.example.com/").endswith(f"/#link={link.token}")


def test_two_who_use_a_link_at_once_make_one_password(hub: Hub, sam: Actor) -> None:
    link = invite_nora(hub, sam)

    def use(password: str) -> str | None:
        try:
            redeem(hub, link.token, password=password)
        except HubError:
            return None
        return password

    with ThreadPoolExecutor(2) as pool:
        used = [word for word in pool.map(use, (NEW, f"{NEW} too")) if word]
    assert len(used) == 1
    assert enter(hub, used[0]).email == EMAIL


def test_a_weak_password_spends_nothing(hub: Hub, sam: Actor) -> None:
    link = invite_nora(hub, sam)
    with pytest.raises(InvalidInput):
        redeem(hub, link.token, password="short")
    assert redeem(hub, link.token, password=NEW).email == EMAIL
    with pytest.raises(NotFound, match="was used"):
        redeem(hub, link.token, password=NEW)


@pytest.mark.parametrize(("days", "purpose"), [(7, "invite"), (1, "reset")])
def test_links_end_by_themselves(hub: Hub, sam: Actor, days: int, purpose: str) -> None:
    link = invite_nora(hub, sam)
    if purpose == "reset":
        redeem(hub, link.token, password=NEW)
        link = renew(hub, sam, link.user_id)
    assert look_up(hub, link.token).purpose == purpose
    with time_machine.travel(now() + timedelta(days=days, seconds=1)), pytest.raises(NotFound):
        redeem(hub, link.token, password=NEW)


def test_a_reset_changes_nothing_until_it_is_used(hub: Hub, sam: Actor) -> None:
    nora = redeem(hub, invite_nora(hub, sam).token, password=NEW)
    session_id = start_session(hub, nora, ip="local", user_agent="")[0]
    first, second = renew(hub, sam, nora.id), renew(hub, sam, nora.id)
    assert enter(hub, NEW) == nora
    assert is_live(hub, session_id)
    with pytest.raises(NotFound):
        redeem(hub, first.token, password=f"{NEW} 2")
    redeem(hub, second.token, password=f"{NEW} 2")
    assert enter(hub, f"{NEW} 2") == nora
    assert not is_live(hub, session_id)


def test_a_withdrawn_link_and_one_of_somebody_shut_out_do_not_work(hub: Hub, sam: Actor) -> None:
    link = invite_nora(hub, sam)
    withdraw(hub, sam, link.user_id)
    with pytest.raises(NotFound):
        look_up(hub, link.token)
    again = renew(hub, sam, link.user_id)
    set_active(hub, sam, user_id=link.user_id, is_active=False)
    with pytest.raises(NotFound):
        redeem(hub, again.token, password=NEW)
    with pytest.raises(NotAllowed):
        renew(hub, sam, link.user_id)


@pytest.mark.parametrize("role", ["member", "analyst"])
def test_links_are_for_staff_to_make(hub: Hub, sam: Actor, role: str) -> None:
    actor = make_user(hub, "ada@example.com", role)
    for act in (
        lambda: invite(hub, actor, email=EMAIL, name="", role="staff"),
        lambda: renew(hub, actor, sam.id),
        lambda: withdraw(hub, actor, sam.id),
    ):
        with pytest.raises(NotAllowed):
            act()


def test_a_taken_address_and_an_unknown_user_are_refused(hub: Hub, sam: Actor) -> None:
    invite_nora(hub, sam)
    with pytest.raises(InvalidInput, match="exists already"):
        invite_nora(hub, sam)
    with pytest.raises(NotFound):
        renew(hub, sam, "usr_unknown")
    with pytest.raises(NotFound):
        look_up(hub, "\ud800 not a token")
