"""Totals are the sums of the rollups after every change, and bars of any zone are whole."""

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, text, update
from sqlmodel import col, select

from lib.access import Actor
from lib.analytics.bins import bars, whole
from lib.analytics.periods import Period
from lib.hub import Hub
from lib.models import DeliveryRollup, EventTotal, HourlyRollup, MessageRollup
from lib.processing.rollups import add_counts
from lib.processing.totals import HOUR, sum_up
from tests.event_factories import make_integration
from tests.factories import make_user
from tests.figure_factories import (
    at,
    count_attempts,
    count_failures,
    count_messages,
    count_received,
    count_waits,
)
from tests.outgoing_factories import make_destination
from tests.totals_of import TOTALS, assert_totals_are_right, counted, kept

NOON = at("2026-11-03 12:00")
# Whole and half hours, both sides of Greenwich, and changes at midnight.
ZONES = ("UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata", "Pacific/Auckland",
         "America/Havana", "America/Asuncion")  # fmt: skip


@pytest.fixture(autouse=True)
def right(hub: Hub) -> Iterator[None]:
    """Whatever a test did, the totals are right at its end."""
    yield
    assert_totals_are_right(hub)


def fill(hub: Hub) -> Actor:
    """Count something of everything, in several hours, for two integrations of one owner."""
    ada = make_user(hub)
    target = make_destination(hub, ada)
    for item in (make_integration(hub, ada), make_integration(hub, ada)):
        for hours in (0, 1, 20):
            hour = NOON + timedelta(hours=hours)
            count_received(hub, item, hour, 3)
            count_received(hub, item, hour, 2, event_type="bad_signature", outcome="rejected")
            count_messages(hub, item, hour, 4)
            count_waits(hub, item, hour, 5)
    for hours in (0, 13):
        hour = NOON + timedelta(hours=hours)
        count_attempts(hub, target, hour, 6)
        count_attempts(hub, target, hour, 1, outcome="dead", bucket=30)
        count_failures(hub, target, hour, 1)
    return ada


def test_every_count_stands_under_the_hub_its_owner_and_its_place(hub: Hub) -> None:
    item = make_integration(hub, make_user(hub))
    count_received(hub, item, NOON, 3)
    count_received(hub, item, NOON, 4, event_type="call.received")
    place = (item.service_name, "received")
    assert kept(hub, EventTotal) == {
        (scope, span, since, *place): 7
        for scope in ("", item.user_id, item.id)
        for span, since in (("hour", NOON), ("day", at("2026-11-03 00:00")))
    }


def test_counts_that_go_up_and_down_take_the_totals_with_them(hub: Hub) -> None:
    fill(hub)
    with hub.database.write() as session:
        session.execute(update(MessageRollup).values(count=col(MessageRollup.count) - 1))
        rows = [dict(row) for row in session.execute(select(HourlyRollup.__table__)).mappings()]  # type: ignore[attr-defined]
        add_counts(session, HourlyRollup, rows)
    assert sum(kept(hub, EventTotal).values()) == 6 * 2 * 6 * 5


def test_what_is_removed_leaves_no_row_of_zero(hub: Hub) -> None:
    fill(hub)
    with hub.database.write() as session:
        for rollup, _, _ in TOTALS.values():
            session.execute(delete(rollup))
    with hub.database.read() as session:
        assert [table for table in TOTALS if session.scalars(select(table)).first()] == []


def test_an_undone_transaction_leaves_the_totals_as_they_were(hub: Hub) -> None:
    fill(hub)
    before = kept(hub, EventTotal)

    def fail() -> None:
        with hub.database.write() as session:
            session.execute(delete(HourlyRollup))
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        fail()
    assert kept(hub, EventTotal) == before


def test_a_hub_that_has_counts_already_gets_its_totals_at_once(hub: Hub) -> None:
    fill(hub)
    revision = import_module("lib.migrations.versions.0007_totals")
    with hub.database.write() as session:
        for table in TOTALS:
            session.execute(delete(table))
        for statement in revision.fill_statements(is_sqlite=hub.database.is_sqlite):
            session.execute(text(statement))
    assert all(counted(hub, table) for table in TOTALS)


def test_writers_that_meet_in_the_totals_of_the_hub_wait_and_do_not_fail(hub: Hub) -> None:
    ada, bea = make_user(hub), make_user(hub, "bea@example.com")
    targets = [make_destination(hub, owner) for owner in (ada, bea) for _ in range(3)]

    def write(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(10):
            chosen = sorted(chance.sample(targets, 3), key=lambda target: target.id)
            rows = [
                {"hour": NOON, "destination_id": target.id, "outcome": outcome, "attempt": 1,
                 "bucket": 20, "user_id": target.user_id, "count": 1}
                for target in chosen for outcome in ("dead", "delivered")
            ]  # fmt: skip
            with hub.database.write() as session:
                add_counts(session, DeliveryRollup, rows)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    with hub.database.read() as session:
        assert sum(session.scalars(select(DeliveryRollup.count))) == 4 * 10 * 6


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("days", [1, 7, 30])
def test_bars_hold_each_hour_of_their_period_once(hub: Hub, zone: str, days: int) -> None:
    item, chance = make_integration(hub, make_user(hub)), random.Random(days)
    until = at("2026-11-20 17:00")
    hours: dict[datetime, int] = {}
    for number in chance.sample(range(-30, 24 * days + 30), 40):
        hours[until - HOUR * number] = chance.randrange(1, 100)
    for hour, count in hours.items():
        count_received(hub, item, hour, count)
    period = Period(until - timedelta(days=days) + 5 * HOUR, until, ZoneInfo(zone))
    inside = {hour: n for hour, n in hours.items() if period.since <= hour < period.until}
    expected: Counter[int] = Counter()
    for hour, count in inside.items():
        expected[_bin_of(hour, period)] += count
    assert _sum(hub, item.id, bars(period)) == expected
    assert _sum(hub, item.id, whole(period)) == {0: sum(inside.values())}


def _bin_of(hour: datetime, period: Period) -> int:
    """Return the number of an hour's bar, by the wall clock of the zone."""
    wall = hour if period.bin_hours == 1 else hour.astimezone(period.zone)
    seconds = (wall.replace(tzinfo=None) - datetime(1970, 1, 1)).total_seconds()  # noqa: DTZ001
    return int(seconds) // (period.bin_hours * 3600)


def _sum(hub: Hub, scope: str, spans: Any) -> dict[int, int]:
    with hub.database.read() as session:
        scopes, columns = [col(EventTotal.scope) == scope], [col(EventTotal.outcome)]
        found = sum_up(session, EventTotal, scopes, columns, spans)
    return {number: count for number, _, count in found}
