"""The second factor: codes good once, recovery codes, and what is asked at the sign-in."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pyotp
import pytest
import time_machine
from sqlmodel import select

from lib.access import Actor
from lib.clock import now
from lib.errors import CodeNeeded, HubError, InvalidInput, NotAllowed, NotFound, RateLimited
from lib.hub import Hub
from lib.models import AuditEntry, User
from lib.people import passwords, second_factor
from lib.people.sessions import is_live, start_session
from lib.people.sign_in import authenticate
from lib.people.users import add_user, list_users
from lib.vault.rotation import count_outdated, reseal
from tests.factories import make_user

PASSWORD = "correct horse battery"
IP = "203.0.113.1"


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "COST", 4)


@pytest.fixture
def ada(hub: Hub) -> Actor:
    return add_user(hub, email="ada@example.com", name="Ada", role="member", password=PASSWORD)[0]


def turn_on(hub: Hub, actor: Actor) -> tuple[pyotp.TOTP, list[str]]:
    totp = pyotp.TOTP(second_factor.begin(hub, actor).secret)
    return totp, second_factor.confirm(hub, actor, totp.at(now()))


def later(totp: pyotp.TOTP) -> str:
    """Return the code of the next step, which no test has used yet."""
    return totp.at(now() + timedelta(seconds=30))


def actions(hub: Hub) -> list[str]:
    with hub.database.read() as session:
        return [row.action for row in session.exec(select(AuditEntry).order_by("id")).all()]


def test_it_counts_only_after_a_code_was_seen(hub: Hub, ada: Actor) -> None:
    made = second_factor.begin(hub, ada)
    assert "issuer=Members%20Hub" in made.uri
    assert made.secret in made.uri
    assert not second_factor.is_asked_for(hub, ada)
    with pytest.raises(InvalidInput, match="code is wrong"):
        second_factor.confirm(hub, ada, "000000")
    codes = second_factor.confirm(hub, ada, pyotp.TOTP(made.secret).at(now()))
    assert len(set(codes)) == second_factor.RECOVERY_CODES
    assert second_factor.is_asked_for(hub, ada)
    with pytest.raises(InvalidInput, match="on already"):
        second_factor.begin(hub, ada)


def test_the_secret_is_sealed_and_moves_to_a_new_key(hub: Hub, ada: Actor) -> None:
    secret = second_factor.begin(hub, ada).secret
    with hub.database.read() as session:
        kept = session.get_one(User, ada.id).credentials
    assert secret not in str(kept)
    assert set(kept) == {"totp_secret"}
    assert count_outdated(hub) == 0
    assert reseal(hub).resealed == 0


def test_a_sign_in_is_noted_when_both_steps_are_proven(hub: Hub, ada: Actor) -> None:
    totp, _ = turn_on(hub, ada)
    with pytest.raises(CodeNeeded) as caught:
        authenticate(hub, ada.email, password=PASSWORD, ip=IP)
    assert caught.value.user_id == ada.id
    assert "user.signed_in" not in actions(hub)
    assert second_factor.prove(hub, ada.id, code=later(totp), ip=IP) == ada
    assert actions(hub)[-1] == "user.signed_in"
    (account,) = list_users(hub, make_user(hub, "sam@example.com", "staff"))[:1]
    assert account.last_signed_in_at is not None
    assert account.has_second_factor


def test_a_code_works_once_even_when_sent_twice_at_once(hub: Hub, ada: Actor) -> None:
    totp, _ = turn_on(hub, ada)
    code = later(totp)

    def enter(_: int) -> str:
        try:
            second_factor.prove(hub, ada.id, code=code, ip=IP)
        except HubError as error:
            return type(error).__name__
        return "in"

    with ThreadPoolExecutor(3) as pool:
        outcomes = sorted(pool.map(enter, range(3)))
    assert outcomes == ["NotAllowed", "NotAllowed", "in"]


def test_a_clock_may_be_half_a_minute_off_and_no_more(hub: Hub, ada: Actor) -> None:
    with time_machine.travel(now(), tick=False):
        totp, _ = turn_on(hub, ada)
        with pytest.raises(NotAllowed):
            second_factor.prove(hub, ada.id, code=totp.at(now() + timedelta(seconds=90)), ip=IP)
        assert second_factor.prove(hub, ada.id, code=later(totp), ip=IP)


def test_a_recovery_code_works_once_in_any_spelling(hub: Hub, ada: Actor) -> None:
    _, codes = turn_on(hub, ada)
    spelled = codes[0].lower().replace("-", " ")
    assert second_factor.prove(hub, ada.id, code=spelled, ip=IP) == ada
    with pytest.raises(NotAllowed):
        second_factor.prove(hub, ada.id, code=codes[0], ip=IP)
    assert second_factor.read_state(hub, ada).recovery_codes_left == len(codes) - 1


def test_guessing_codes_locks(hub: Hub, ada: Actor) -> None:
    turn_on(hub, ada)
    for _ in range(5):
        with pytest.raises(NotAllowed):
            second_factor.prove(hub, ada.id, code="000000", ip=IP)
    with pytest.raises(RateLimited):
        second_factor.prove(hub, ada.id, code="000000", ip=IP)
    assert actions(hub).count("user.code_failed") == 5


def test_turning_it_off_takes_the_password_and_a_code(hub: Hub, ada: Actor) -> None:
    totp, codes = turn_on(hub, ada)
    with pytest.raises(InvalidInput) as caught:
        second_factor.turn_off(hub, ada, password="not the password", code=later(totp))
    assert caught.value.field == "password"
    with pytest.raises(InvalidInput) as caught:
        second_factor.turn_off(hub, ada, password=PASSWORD, code="000000")
    assert caught.value.field == "code"
    second_factor.turn_off(hub, ada, password=PASSWORD, code=codes[3])
    assert not second_factor.is_asked_for(hub, ada)
    with hub.database.read() as session:
        row = session.get_one(User, ada.id)
    assert (row.credentials, row.recovery_digests, row.totp_last_step) == ({}, [], None)


def test_staff_help_whoever_lost_the_phone(hub: Hub, ada: Actor) -> None:
    turn_on(hub, ada)
    session_id = start_session(hub, ada, ip=IP, user_agent="")[0]
    sam = make_user(hub, "sam@example.com", "staff")
    with pytest.raises(NotAllowed):
        second_factor.turn_off_for(hub, ada, sam.id)
    with pytest.raises(NotAllowed):
        second_factor.turn_off_for(hub, sam, sam.id)
    with pytest.raises(NotFound):
        second_factor.turn_off_for(hub, sam, "usr_unknown")
    second_factor.turn_off_for(hub, sam, ada.id)
    assert not second_factor.is_asked_for(hub, ada)
    assert not is_live(hub, session_id)
    assert actions(hub)[-1] == "user.second_factor_removed"
