"""Tokens: what is kept of them, how far they reach, and when they end."""

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from sqlmodel import select

from lib.clock import now
from lib.errors import InvalidInput, NotAllowed, NotFound
from lib.hub import Hub
from lib.models import ApiToken, AuditEntry
from lib.people import api_tokens, users
from lib.people.api_tokens import IssuedToken
from tests.factories import make_user


def make(
    hub: Hub, scopes: tuple[str, ...] = ("read:events",), days: int | None = None
) -> IssuedToken:
    return api_tokens.create(hub, make_user(hub), name="Zaps", scopes=scopes, days=days)


def test_a_token_speaks_for_its_user_within_its_scopes(hub: Hub) -> None:
    issued = make(hub)
    caller = api_tokens.authenticate(hub, issued.secret)
    assert caller is not None
    assert caller.actor.email == "ada@example.com"
    assert caller.may("read:events")
    assert not caller.may("write:events")
    assert caller.token == issued.token


def test_all_stands_for_every_scope(hub: Hub) -> None:
    caller = api_tokens.authenticate(hub, make(hub, ("all",)).secret)
    assert caller is not None
    assert all(caller.may(scope) for scope in api_tokens.SCOPES)


def test_only_a_digest_is_kept_and_nothing_repeats_the_token(hub: Hub) -> None:
    issued = make(hub)
    assert issued.secret.startswith("hub_")
    # 256 bits in base64.
    assert len(issued.secret) == 4 + 43
    with hub.database.read() as session:
        rows = [*session.exec(select(ApiToken)), *session.exec(select(AuditEntry))]
    assert issued.secret not in repr(rows) + repr(issued) + repr(issued.token)
    assert issued.token.last4 == issued.secret[-4:]
    assert len({make_secret(hub) for _ in range(3)}) == 3


def make_secret(hub: Hub) -> str:
    actor = users.find_user(hub, "ada@example.com")
    assert actor is not None
    return api_tokens.create(hub, actor, name="More", scopes=["actions"]).secret


def test_a_revoked_token_is_worth_nothing(hub: Hub) -> None:
    issued = make(hub)
    owner = users.find_user(hub, "ada@example.com")
    assert owner is not None
    stranger = make_user(hub, "bob@example.com", "analyst")
    with pytest.raises(NotFound):
        api_tokens.revoke(hub, stranger, issued.token.id)
    assert api_tokens.list_tokens(hub, stranger) == []
    api_tokens.revoke(hub, owner, issued.token.id)
    assert api_tokens.authenticate(hub, issued.secret) is None
    assert api_tokens.list_tokens(hub, owner) == []
    with pytest.raises(NotFound):
        api_tokens.revoke(hub, owner, issued.token.id)
    with hub.database.read() as session:
        actions = [row.action for row in session.exec(select(AuditEntry).order_by(AuditEntry.id))]
    assert actions == ["token.created", "token.revoked"]


def test_staff_see_and_end_the_tokens_of_everybody(hub: Hub) -> None:
    issued = [make(hub)]
    owner = users.find_user(hub, "ada@example.com")
    assert owner is not None
    issued += [api_tokens.create(hub, owner, name=str(n), scopes=["actions"]) for n in range(3)]
    staff = make_user(hub, "sam@example.com", "staff")
    first = api_tokens.list_of_everybody(hub, staff, limit=3)
    last = api_tokens.list_of_everybody(hub, staff, cursor=first.next_cursor, limit=3)
    shown = [*first.rows, *last.rows]
    assert [item.token.id for item in shown] == [each.token.id for each in issued[::-1]]
    assert {item.owner for item in shown} == {"ada@example.com"}
    assert last.next_cursor is None
    assert issued[0].secret not in repr(shown)
    api_tokens.revoke(hub, staff, issued[0].token.id)
    assert api_tokens.authenticate(hub, issued[0].secret) is None
    assert len(api_tokens.list_of_everybody(hub, staff).rows) == 3
    with hub.database.read() as session:
        entry = session.exec(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert (entry.actor, entry.details["owner"]) == ("sam@example.com", "ada@example.com")
    for actor in (owner, replace(staff, is_confined=True)):
        with pytest.raises(NotAllowed):
            api_tokens.list_of_everybody(hub, actor)
    with pytest.raises(NotFound):
        api_tokens.revoke(hub, replace(staff, is_confined=True), issued[1].token.id)


def test_a_token_ends_with_its_days(hub: Hub) -> None:
    issued = make(hub, days=30)
    with time_machine.travel(now() + timedelta(days=29, hours=23)):
        assert api_tokens.authenticate(hub, issued.secret) is not None
    with time_machine.travel(now() + timedelta(days=30, seconds=1)):
        assert api_tokens.authenticate(hub, issued.secret) is None


def test_a_disabled_user_has_no_working_token(hub: Hub) -> None:
    issued = make(hub)
    staff = make_user(hub, "sam@example.com", "staff")
    owner = users.find_user(hub, "ada@example.com")
    assert owner is not None
    users.set_active(hub, staff, user_id=owner.id, is_active=False)
    assert api_tokens.authenticate(hub, issued.secret) is None
    users.set_active(hub, staff, user_id=owner.id, is_active=True)
    assert api_tokens.authenticate(hub, issued.secret) is not None


def test_a_use_is_written_once_a_minute(hub: Hub) -> None:
    issued = make(hub)
    assert api_tokens.is_use_due(issued.token)
    api_tokens.note_use(hub, issued.token)
    caller = api_tokens.authenticate(hub, issued.secret)
    assert caller is not None
    first = caller.token.last_used_at
    assert first is not None
    assert not api_tokens.is_use_due(caller.token)
    # One that has read the token before the other's write changes nothing.
    api_tokens.note_use(hub, issued.token)
    with time_machine.travel(now() + timedelta(seconds=61)):
        assert api_tokens.is_use_due(caller.token)
        api_tokens.note_use(hub, caller.token)
    again = api_tokens.authenticate(hub, issued.secret)
    assert again is not None
    assert again.token.last_used_at is not None
    assert again.token.last_used_at - first > timedelta(seconds=60)


@pytest.mark.parametrize("text", ["", "hub_", "hub_unknown", "nonsense\x00", "ü" * 100])
def test_strangers_are_unknown(hub: Hub, text: str) -> None:
    make(hub)
    assert api_tokens.authenticate(hub, text) is None


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["read:events", "write:everything"]}, "scopes"),
        ({"days": 0}, "days"),
        ({"days": 4000}, "days"),
    ],
)
def test_bad_input_is_refused_by_name(
    sqlite_hub: Hub, given: dict[str, object], field: str
) -> None:
    whole = {"name": "Zaps", "scopes": ["all"], "days": None, **given}
    with pytest.raises(InvalidInput) as caught:
        api_tokens.create(sqlite_hub, make_user(sqlite_hub), **whole)  # type: ignore[arg-type]
    assert caught.value.field == field


def test_tokens_do_not_pile_up(sqlite_hub: Hub) -> None:
    actor = make_user(sqlite_hub)
    for _ in range(50):
        api_tokens.create(sqlite_hub, actor, name="One more", scopes=["all"])
    with pytest.raises(InvalidInput, match="Revoke one"):
        api_tokens.create(sqlite_hub, actor, name="Too many", scopes=["all"])
