"""Users: adding, signing in, changing; and what passwords are accepted."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import select

from lib.access import Actor, Role
from lib.errors import HubError, InvalidInput, NotAllowed, NotFound, RateLimited
from lib.hub import Hub
from lib.models import AuditEntry, User
from lib.people import passwords
from lib.people.sessions import is_live, start_session
from lib.people.sign_in import authenticate, change_password
from lib.people.users import (
    FIRST_EMAIL,
    add_user,
    find_user,
    first_staff_user,
    list_users,
    set_active,
    set_role,
)
from tests.factories import make_user

PASSWORD = "correct horse battery"
NEW = "another good password"


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "COST", 4)


def add(hub: Hub, email: str = "ada@example.com", role: str = "member") -> Actor:
    return add_user(hub, email=email, name="Ada", role=role, password=PASSWORD)[0]


def enter(hub: Hub, email: str, password: str = PASSWORD, ip: str = "203.0.113.1") -> Actor:
    return authenticate(hub, email, password=password, ip=ip)


def session_of(hub: Hub, actor: Actor) -> str:
    return start_session(hub, actor, ip="203.0.113.1", user_agent="")[0]


def actions(hub: Hub) -> list[str]:
    with hub.database.read() as session:
        return [row.action for row in session.exec(select(AuditEntry).order_by("id")).all()]


def test_an_added_user_signs_in_with_any_spelling_of_the_address(hub: Hub) -> None:
    ada = add(hub, " Ada@Example.COM ")
    assert ada.email == "ada@example.com"
    assert enter(hub, "ADA@example.com ") == ada
    assert find_user(hub, "Ada@example.com") == ada
    assert actions(hub) == ["user.added", "user.signed_in"]


def test_a_one_time_password_has_to_be_changed(hub: Hub) -> None:
    ada, one_time = add_user(hub, email="ada@example.com", name="", role="analyst")
    assert one_time is not None
    assert ada.must_change_password
    assert ada.name == "ada"
    change_password(hub, ada, current=one_time, new=NEW, keep_session=None)
    assert not enter(hub, ada.email, NEW).must_change_password
    with pytest.raises(NotAllowed):
        enter(hub, ada.email, one_time)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "ada"}, "email"),
        ({"email": "a da@example.com"}, "email"),
        ({"email": "a" * 250 + "@example.com"}, "email"),
        ({"email": "taken@example.com"}, "email"),
        ({"role": "owner"}, "role"),
        ({"password": "short"}, "password"),
        ({"password": "ADA@example.com"}, "password"),
        ({"password": "ends with a space "}, "password"),
        ({"password": "x" * 73}, "password"),
        ({"password": "\N{PILE OF POO}" * 19}, "password"),
    ],
)
def test_bad_values_are_refused_by_field(hub: Hub, changes: dict[str, str], field: str) -> None:
    add(hub, "taken@example.com")
    values = {"email": "ada@example.com", "name": "Ada", "role": "member", "password": PASSWORD}
    with pytest.raises(InvalidInput) as caught:
        add_user(hub, **{**values, **changes})  # type: ignore[arg-type]
    assert caught.value.field == field


def test_a_password_of_72_bytes_works_and_a_longer_one_never_does(hub: Hub) -> None:
    longest = "x" * 72
    add_user(hub, email="ada@example.com", name="Ada", role="member", password=longest)
    assert enter(hub, "ada@example.com", longest)
    with pytest.raises(NotAllowed):
        enter(hub, "ada@example.com", longest + "y")


def test_unknown_wrong_disabled_and_unusable_look_alike(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff, disabled = add(hub, "sam@example.com", "staff"), add(hub, "off@example.com")
    add(hub)
    make_user(hub, "unusable@example.com")
    set_active(hub, staff, user_id=disabled.id, is_active=False)
    rounds: list[bytes] = []
    check = passwords.bcrypt.checkpw

    def counted(password: bytes, hashed: bytes) -> bool:
        rounds.append(hashed[:7])
        return check(password, hashed)

    monkeypatch.setattr(passwords.bcrypt, "checkpw", counted)
    messages = set()
    for email, password in (
        ("nobody@example.com", PASSWORD),
        ("ada@example.com", "wrong"),
        ("ada@example.com", "x" * 100),
        ("off@example.com", PASSWORD),
        ("unusable@example.com", "!"),
    ):
        with pytest.raises(NotAllowed) as caught:
            enter(hub, email, password)
        messages.add(caught.value.message)
    assert len(messages) == 1
    assert rounds == [b"$2b$04$"] * 5
    assert actions(hub).count("user.sign_in_failed") == 5


@pytest.mark.parametrize("email", ["ada@example.com", "nobody@example.com"])
def test_known_and_unknown_names_lock_alike(hub: Hub, email: str) -> None:
    add(hub)
    for _ in range(5):
        with pytest.raises(NotAllowed):
            enter(hub, email, "wrong")
    with pytest.raises(RateLimited):
        enter(hub, email)


def test_guesses_sent_at_once_are_counted_one_by_one(hub: Hub) -> None:
    def guess(_: int) -> type[HubError]:
        with pytest.raises(HubError) as caught:
            enter(hub, "ada@example.com", "wrong")
        return caught.type

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(guess, range(12)))
    assert outcomes.count(NotAllowed) == 5
    assert outcomes.count(RateLimited) == 7


def test_a_typed_password_never_reaches_the_audit_log(hub: Hub) -> None:
    with pytest.raises(NotAllowed):
        enter(hub, "my secret as a name", "my secret")
    with hub.database.read() as session:
        entry = session.exec(select(AuditEntry)).one()
    assert "my secret" not in entry.model_dump_json()


def test_changing_the_password_ends_the_other_sessions(hub: Hub) -> None:
    ada = add(hub)
    here, there = session_of(hub, ada), session_of(hub, ada)
    change_password(hub, ada, current=PASSWORD, new=NEW, keep_session=here)
    assert is_live(hub, here)
    assert not is_live(hub, there)
    assert enter(hub, ada.email, NEW)


@pytest.mark.parametrize(
    ("current", "new", "field"),
    [("wrong", NEW, "current"), (PASSWORD, PASSWORD, "password"), (PASSWORD, "x", "password")],
)
def test_a_refused_change_changes_nothing(hub: Hub, current: str, new: str, field: str) -> None:
    ada = add(hub)
    there = session_of(hub, ada)
    with pytest.raises(InvalidInput) as caught:
        change_password(hub, ada, current=current, new=new, keep_session=None)
    assert caught.value.field == field
    assert is_live(hub, there)
    assert enter(hub, ada.email)


def test_guessing_the_current_password_is_slowed_down_without_locking_the_door(hub: Hub) -> None:
    ada = add(hub)
    for _ in range(5):
        with pytest.raises(InvalidInput):
            change_password(hub, ada, current="wrong", new=NEW, keep_session=None)
    with pytest.raises(RateLimited):
        change_password(hub, ada, current=PASSWORD, new=NEW, keep_session=None)
    assert enter(hub, ada.email)


@pytest.mark.parametrize("change", ["role", "access"])
def test_role_and_access_changes_end_sessions_at_once(hub: Hub, change: str) -> None:
    staff, ada = add(hub, "sam@example.com", "staff"), add(hub)
    open_session = session_of(hub, ada)
    if change == "role":
        set_role(hub, staff, user_id=ada.id, role="analyst")
        found = find_user(hub, ada.email)
        assert found is not None
        assert found.role is Role.ANALYST
    else:
        set_active(hub, staff, user_id=ada.id, is_active=False)
        assert find_user(hub, ada.email) is None
    assert not is_live(hub, open_session)


STAFF_ONLY: list[Callable[[Hub, Actor, Actor], object]] = [
    lambda hub, actor, other: list_users(hub, actor),
    lambda hub, actor, other: set_role(hub, actor, user_id=other.id, role="staff"),
    lambda hub, actor, other: set_active(hub, actor, user_id=other.id, is_active=False),
    lambda hub, actor, other: add_user(hub, email="x@y.z", name="X", role="staff", by=actor),
]


@pytest.mark.parametrize("role", ["member", "analyst"])
@pytest.mark.parametrize("deed", STAFF_ONLY)
def test_only_staff_reach_other_users(
    hub: Hub, role: str, deed: Callable[[Hub, Actor, Actor], object]
) -> None:
    actor, other = make_user(hub, "me@example.com", role), make_user(hub)
    with pytest.raises(NotAllowed):
        deed(hub, actor, other)
    assert find_user(hub, other.email) == other


def test_staff_see_everyone_and_cannot_shut_themselves_out(hub: Hub) -> None:
    staff = make_user(hub, "sam@example.com", "staff")
    make_user(hub)
    assert [user.email for user in list_users(hub, staff)] == ["ada@example.com", "sam@example.com"]
    with pytest.raises(NotAllowed):
        set_role(hub, staff, user_id=staff.id, role="member")
    with pytest.raises(NotAllowed):
        set_active(hub, staff, user_id=staff.id, is_active=False)
    with pytest.raises(NotFound):
        set_role(hub, staff, user_id="usr_0", role="member")


def test_the_first_staff_user_is_made_once_by_many_processes(hub: Hub) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = [one for one in pool.map(lambda _: first_staff_user(hub), range(4)) if one]
    assert len(made) == 1
    staff = enter(hub, FIRST_EMAIL, made[0])
    assert staff.role is Role.STAFF
    assert staff.must_change_password


def test_the_same_address_added_twice_at_once_exists_once(hub: Hub) -> None:
    def try_to_add(_: int) -> bool:
        try:
            add(hub)
        except InvalidInput:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(try_to_add, range(4))) == 1
    with hub.database.read() as session:
        assert len(session.exec(select(User)).all()) == 1


def test_one_time_passwords_are_acceptable_and_differ() -> None:
    made = {passwords.one_time_password() for _ in range(50)}
    assert len(made) == 50
    for password in made:
        passwords.check_new_password(password, email="ada@example.com")
