"""Guessing is slowed down per name and per address, and only for a time."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlmodel import select

from lib.errors import RateLimited
from lib.hub import Hub
from lib.models import LoginThrottle
from lib.people import throttle
from lib.people.throttle import count_attempt, forgive

START = datetime(2026, 5, 4, 12, tzinfo=UTC)


def fail(hub: Hub, times: int, *, name: str = "ada@example.com", ip: str = "203.0.113.1") -> None:
    for _ in range(times):
        count_attempt(hub, name, ip=ip)


def test_five_failures_lock_a_name_and_the_lock_doubles(hub: Hub) -> None:
    with time_machine.travel(START, tick=False) as clock:
        fail(hub, 5)
        with pytest.raises(RateLimited) as caught:
            fail(hub, 1)
        assert caught.value.retry_after_seconds == 61

        clock.shift(61)
        fail(hub, 1)
        with pytest.raises(RateLimited) as caught:
            fail(hub, 1)
        assert caught.value.retry_after_seconds == 121


def test_a_lock_never_lasts_longer_than_an_hour(sqlite_hub: Hub) -> None:
    with time_machine.travel(START, tick=False) as clock:
        for _ in range(40):
            fail(sqlite_hub, 1)
            clock.shift(3600)
        fail(sqlite_hub, 1)
        with pytest.raises(RateLimited) as caught:
            fail(sqlite_hub, 1)
    assert caught.value.retry_after_seconds == 3601


def test_a_locked_name_leaves_others_alone(hub: Hub) -> None:
    fail(hub, 5)
    fail(hub, 4, name="bob@example.com")


def test_one_address_cannot_try_many_names(hub: Hub) -> None:
    for number in range(throttle.ADDRESS_FAILURES):
        fail(hub, 1, name=f"user{number}@example.com")
    with pytest.raises(RateLimited):
        fail(hub, 1, name="another@example.com")
    fail(hub, 1, name="another@example.com", ip="203.0.113.2")


def test_a_success_clears_the_name_but_not_the_address(hub: Hub) -> None:
    fail(hub, 4, name="victim@example.com")
    attempt = count_attempt(hub, "ada@example.com", ip="203.0.113.1")
    with hub.database.write() as session:
        forgive(session, attempt)
    with hub.database.read() as session:
        rows = session.exec(select(LoginThrottle)).all()
    failures = {row.key: row.failures for row in rows}
    assert attempt.name_key not in failures
    assert failures[attempt.address_key] == 4


def test_the_fifth_attempt_may_still_succeed(hub: Hub) -> None:
    fail(hub, 4)
    attempt = count_attempt(hub, "ada@example.com", ip="203.0.113.1")
    with hub.database.write() as session:
        forgive(session, attempt)
    fail(hub, 1)


def test_rows_hold_no_names_and_are_dropped_after_a_day(hub: Hub) -> None:
    with time_machine.travel(START, tick=False):
        fail(hub, 1, name="secret-name@example.com")
        with hub.database.read() as session:
            rows = session.exec(select(LoginThrottle)).all()
        assert all(len(row.key) == 64 for row in rows)
    with time_machine.travel(START + timedelta(days=1, seconds=1), tick=False):
        fail(hub, 1, name="bob@example.com", ip="203.0.113.9")
        with hub.database.read() as session:
            assert len(session.exec(select(LoginThrottle)).all()) == 2
