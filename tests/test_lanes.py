"""A worker leases ahead of what it may send at once, and the limit still holds across workers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from lib.clock import now
from lib.connections.integrations import Integration
from lib.hub import Hub
from lib.models import Destination, DestinationState
from lib.outgoing.claims import AHEAD, NOTHING_HELD, Claimed, Lease, claim, release_claimed
from tests.delivering import (
    ScriptedSender,
    answer,
    attempts_of,
    deliver,
    get_delivery,
    make_destination,
    owner_of,
    queue,
)
from tests.event_factories import make_event, make_integration
from tests.factories import make_user

A = "https://a.example.com/in"
AT_ONCE = 3
MOST = AT_ONCE * (1 + AHEAD)


@pytest.fixture
def item(hub: Hub) -> Integration:
    return make_integration(hub, make_user(hub))


def place(hub: Hub, item: Integration, **limits: object) -> Destination:
    config = {"concurrency": AT_ONCE, **limits}
    return make_destination(hub, owner_of(item), A, config_data=config)


def owe(hub: Hub, item: Integration, destination: Destination, count: int) -> list[str]:
    return queue(hub, item, make_event(hub, item), destination=destination, count=count)


def claim_as(hub: Hub, name: str, held: Mapping[str, int] = NOTHING_HELD) -> Sequence[Claimed]:
    moment = now()
    with hub.database.write() as session:
        lease = Lease(name, moment, moment + timedelta(minutes=1))
        return claim(session, lease, capacity=100, held=held).claimed


def give_back(hub: Hub, claimed: Sequence[Claimed]) -> None:
    with hub.database.write() as session:
        assert release_claimed(session, claimed, now()) == len(claimed)


def test_a_worker_alone_leases_ahead_and_another_gets_nothing(hub: Hub, item: Integration) -> None:
    owe(hub, item, place(hub, item), 20)
    assert len(claim_as(hub, "lea_one")) == MOST
    assert claim_as(hub, "lea_two") == []


def test_nobody_leases_ahead_where_two_workers_send(hub: Hub, item: Integration) -> None:
    destination = place(hub, item)
    owe(hub, item, destination, 20)
    first = claim_as(hub, "lea_one")
    give_back(hub, first[1:])
    assert len(claim_as(hub, "lea_two")) == AT_ONCE - 1
    give_back(hub, first[:1])
    assert len(claim_as(hub, "lea_three", {destination.id: 0})) == 1


def test_a_worker_refills_what_it_has_leased_ahead(hub: Hub, item: Integration) -> None:
    destination = place(hub, item)
    owe(hub, item, destination, 20)
    first = claim_as(hub, "lea_one")
    give_back(hub, first[4:])
    assert len(claim_as(hub, "lea_next", {destination.id: 4})) == MOST - 4


@pytest.mark.parametrize("breaker", ["half_open", "closed"])
def test_nothing_is_leased_ahead_of_a_side_in_trouble(
    hub: Hub, item: Integration, breaker: str
) -> None:
    owe(hub, item, place(hub, item), 20)
    with hub.database.write() as session:
        session.execute(update(DestinationState).values(breaker=breaker, failures_in_row=1))
    assert len(claim_as(hub, "lea_one")) == (AT_ONCE if breaker == "closed" else 1)


def test_a_rate_limit_is_spent_when_a_request_begins(hub: Hub, item: Integration) -> None:
    destination = place(hub, item, rate_limit={"per_second": 100})
    with hub.database.write() as session:
        session.execute(update(DestinationState).values(tokens=100.0))
    owe(hub, item, destination, 20)
    assert len(claim_as(hub, "lea_one")) == AT_ONCE


def test_no_more_are_under_way_than_the_limit_says(hub: Hub, item: Integration) -> None:
    ids = owe(hub, item, place(hub, item), 40)
    sender = ScriptedSender(delay=lambda _url: 0.005)
    deliver(hub, sender, until=lambda: sender.count(A) == 40 and not sender.running[A])
    assert sender.most_running[A] == AT_ONCE
    assert {get_delivery(hub, delivery_id).status for delivery_id in ids} == {"delivered"}


def test_a_failure_returns_what_waits_behind_it(hub: Hub, item: Integration) -> None:
    ids = owe(hub, item, place(hub, item), 2 * AT_ONCE)
    sender = ScriptedSender({A: [answer(503, retry_after="3600")]}, delay=lambda _url: 0.01)
    deliver(hub, sender, until=lambda: get_delivery(hub, ids[0]).status == "retrying")
    waiting = [get_delivery(hub, delivery_id) for delivery_id in ids[AT_ONCE:]]
    assert {(row.status, row.attempts, row.lease_id) for row in waiting} == {("pending", 0, None)}
    assert sender.count(A) == AT_ONCE


def test_what_waited_for_half_its_lease_is_not_begun(hub: Hub, item: Integration) -> None:
    hasty = replace(hub, settings=hub.settings.model_copy(update={"delivery_lease_seconds": 2}))
    ids = owe(hub, item, place(hub, item), 2 * AT_ONCE)
    delays = iter([1.2] * AT_ONCE + [0.0] * AT_ONCE)
    sender = ScriptedSender(delay=lambda _url: next(delays))
    deliver(hasty, sender, until=lambda: bool(attempts_of(hub, ids[-1])))
    assert sender.count(A) == len(ids)
    assert [len(attempts_of(hub, delivery_id)) for delivery_id in ids] == [1] * len(ids)


def test_a_stopping_worker_returns_what_it_has_not_begun(hub: Hub, item: Integration) -> None:
    ids = owe(hub, item, place(hub, item), 2 * AT_ONCE)
    sender = ScriptedSender(delay=lambda _url: 0.2)
    deliver(hub, sender, until=lambda: sender.count(A) == AT_ONCE)
    states = [get_delivery(hub, delivery_id).status for delivery_id in ids]
    assert states == ["delivered"] * AT_ONCE + ["pending"] * AT_ONCE
