"""Sessions: one ticket, one cookie, ended at once, gone in time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import time_machine
from sqlmodel import select

from lib.access import Actor
from lib.hub import Hub
from lib.models import LoginSession, User
from lib.people import sessions
from lib.people.sessions import (
    actor_of_cookie,
    actor_of_session,
    end_all_sessions,
    end_session,
    end_session_of_cookie,
    is_live,
    list_sessions,
    redeem_ticket,
    start_session,
)
from tests.factories import make_user

START = datetime(2026, 5, 4, 12, tzinfo=UTC)


def begin(hub: Hub, actor: Actor) -> tuple[str, str]:
    return start_session(hub, actor, ip="203.0.113.1", user_agent="Firefox/1")


def test_a_ticket_becomes_a_cookie_that_names_the_user(hub: Hub) -> None:
    ada = make_user(hub)
    session_id, ticket = begin(hub, ada)
    cookie = redeem_ticket(hub, ticket)
    assert cookie is not None
    assert actor_of_cookie(hub, cookie) == ada
    assert actor_of_session(hub, session_id) == ada


def test_a_ticket_works_once_even_when_sent_at_the_same_time(hub: Hub) -> None:
    _, ticket = begin(hub, make_user(hub))
    with ThreadPoolExecutor(4) as pool:
        cookies = list(pool.map(lambda _: redeem_ticket(hub, ticket), range(4)))
    assert len([cookie for cookie in cookies if cookie]) == 1


def test_a_ticket_is_too_old_after_thirty_seconds(hub: Hub) -> None:
    with time_machine.travel(START, tick=False) as clock:
        _, ticket = begin(hub, make_user(hub))
        clock.shift(30)
        assert redeem_ticket(hub, ticket) is None


def test_strange_tickets_and_cookies_are_nobody(hub: Hub) -> None:
    session_id, ticket = begin(hub, make_user(hub))
    assert redeem_ticket(hub, "") is None
    assert redeem_ticket(hub, session_id) is None
    assert actor_of_cookie(hub, ticket) is None
    assert actor_of_cookie(hub, "") is None


def test_the_database_never_holds_the_secrets(hub: Hub) -> None:
    _, ticket = begin(hub, make_user(hub))
    with hub.database.read() as session:
        before = session.exec(select(LoginSession)).one().model_dump()
    cookie = redeem_ticket(hub, ticket)
    with hub.database.read() as session:
        after = session.exec(select(LoginSession)).one().model_dump()
    assert ticket not in before.values()
    assert cookie not in after.values()
    assert after["ticket_digest"] is None


def test_an_ended_session_is_gone_at_once(hub: Hub) -> None:
    ada = make_user(hub)
    session_id, ticket = begin(hub, ada)
    cookie = redeem_ticket(hub, ticket) or ""
    end_session(hub, session_id)
    assert actor_of_cookie(hub, cookie) is None
    assert actor_of_session(hub, session_id) is None
    assert not is_live(hub, session_id)
    assert list_sessions(hub, ada) == []


def test_a_ticket_of_an_ended_session_is_worthless(hub: Hub) -> None:
    session_id, ticket = begin(hub, make_user(hub))
    end_session(hub, session_id)
    assert redeem_ticket(hub, ticket) is None


def test_the_cookie_can_end_its_session(hub: Hub) -> None:
    session_id, ticket = begin(hub, make_user(hub))
    end_session_of_cookie(hub, redeem_ticket(hub, ticket) or "")
    assert not is_live(hub, session_id)
    end_session_of_cookie(hub, "unknown")


def test_ending_the_others_keeps_this_one_and_other_users(hub: Hub) -> None:
    ada, bob = make_user(hub), make_user(hub, "bob@example.com")
    here, there, his = (begin(hub, who)[0] for who in (ada, ada, bob))
    assert end_all_sessions(hub, ada, except_=here) == 1
    assert [is_live(hub, each) for each in (here, there, his)] == [True, False, True]
    assert [row.id for row in list_sessions(hub, ada)] == [here]


def test_a_disabled_user_is_nobody(hub: Hub) -> None:
    ada = make_user(hub)
    session_id, _ = begin(hub, ada)
    with hub.database.write() as session:
        session.get_one(User, ada.id).is_active = False
    assert actor_of_session(hub, session_id) is None


def test_a_session_ends_after_twelve_idle_hours(hub: Hub) -> None:
    with time_machine.travel(START, tick=False) as clock:
        session_id, _ = begin(hub, make_user(hub))
        clock.shift(timedelta(hours=11, minutes=59))
        assert actor_of_session(hub, session_id) is not None
        clock.shift(timedelta(hours=11, minutes=59))
        assert is_live(hub, session_id)
        clock.shift(timedelta(minutes=1))
        assert not is_live(hub, session_id)


def test_a_session_ends_after_fourteen_days_of_use(sqlite_hub: Hub) -> None:
    with time_machine.travel(START, tick=False) as clock:
        session_id, _ = begin(sqlite_hub, make_user(sqlite_hub))
        for _ in range(27):
            clock.shift(timedelta(hours=12) - timedelta(seconds=1))
            assert actor_of_session(sqlite_hub, session_id) is not None
        clock.shift(timedelta(hours=12))
        assert actor_of_session(sqlite_hub, session_id) is None


def test_a_visit_is_noted_at_most_once_a_minute(hub: Hub) -> None:
    ada = make_user(hub)
    with time_machine.travel(START, tick=False) as clock:
        session_id, _ = begin(hub, ada)
        clock.shift(59)
        actor_of_session(hub, session_id)
        assert list_sessions(hub, ada)[0].last_seen_at == START
        clock.shift(1)
        actor_of_session(hub, session_id)
        assert list_sessions(hub, ada)[0].last_seen_at == START + timedelta(seconds=60)


def test_expired_rows_go_when_the_user_signs_in_again(sqlite_hub: Hub) -> None:
    ada = make_user(sqlite_hub)
    with time_machine.travel(START, tick=False) as clock:
        begin(sqlite_hub, ada)
        clock.shift(sessions.LONGEST_LIFE + timedelta(seconds=1))
        kept, _ = begin(sqlite_hub, ada)
    with sqlite_hub.database.read() as session:
        assert [row.id for row in session.exec(select(LoginSession)).all()] == [kept]
