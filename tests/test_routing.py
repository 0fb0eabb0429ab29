"""Processed events become one delivery for each route that takes them, exactly once."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from lib.clock import now
from lib.connections.integrations import Integration
from lib.hub import Hub
from lib.models import (
    Delivery,
    Destination,
    EventKey,
    IntegrationConfig,
    Route,
    SearchDocument,
    WebhookEvent,
)
from lib.outgoing.destinations import remove
from lib.outgoing.envelope import EventFacts
from lib.outgoing.routing import enqueue
from lib.processing import batch as processing
from lib.processing.batch import process_batch
from lib.processing.derivation import Derived, derive
from tests.delivering import make_destination, owner_of
from tests.event_factories import SMS, make_event, make_integration
from tests.factories import make_user
from tests.outgoing_factories import make_route


@pytest.fixture
def item(hub: Hub) -> Integration:
    return make_integration(hub, make_user(hub))


@pytest.fixture
def destination(hub: Hub, item: Integration) -> Destination:
    return make_destination(hub, owner_of(item))


def receive(hub: Hub, item: Integration, event_type: str = "message.received", **sms: str) -> str:
    """Put an event that waits to be processed, without what processing will derive."""
    event_id = make_event(hub, item, payload={**SMS, **sms}, event_type=event_type)
    with hub.database.write() as session:
        session.execute(
            update(WebhookEvent).where(col(WebhookEvent.id) == event_id).values(status="pending")
        )
        for table in (EventKey, SearchDocument):
            session.execute(delete(table).where(col(table.event_id) == event_id))
    return event_id


def process_all(hub: Hub) -> None:
    while process_batch(hub):
        pass


def deliveries(hub: Hub) -> Sequence[Delivery]:
    with hub.database.read() as session:
        return session.exec(select(Delivery).order_by(col(Delivery.id))).all()


def test_event_becomes_one_delivery_for_each_route(
    hub: Hub, item: Integration, destination: Destination
) -> None:
    other = make_destination(hub, owner_of(item))
    routes = [
        make_route(hub, item, destination, mapping="data").id,
        make_route(hub, item, other).id,
    ]
    event_id = receive(hub, item)
    process_all(hub)
    made = deliveries(hub)
    assert [row.route_id for row in made] == routes
    assert [row.destination_id for row in made] == [destination.id, other.id]
    assert [row.mapping for row in made] == ["data", None]
    assert {row.event_id for row in made} == {event_id}
    assert {(row.status, row.attempts, row.user_id) for row in made} == {
        ("pending", 0, item.user_id)
    }
    assert all(row.next_attempt_at for row in made)


def test_route_takes_its_types_and_what_its_filters_let_through(
    hub: Hub, item: Integration, destination: Destination
) -> None:
    make_route(
        hub,
        item,
        destination,
        event_types=["message.received", "message.sent"],
        filters=[{"path": "data.Body", "operator": "starts_with", "value": "Yes"}],
    )
    taken = receive(hub, item, Body="Yes, confirmed")
    receive(hub, item, Body="No")
    receive(hub, item, "call.received", Body="Yes")
    process_all(hub)
    assert [row.event_id for row in deliveries(hub)] == [taken]


@pytest.mark.parametrize("what", ["route", "removed route", "integration", "removed destination"])
def test_what_is_paused_or_removed_sends_nothing_onwards(
    hub: Hub, item: Integration, destination: Destination, what: str
) -> None:
    route_id = make_route(hub, item, destination).id
    with hub.database.write() as session:
        if what == "route":
            session.get_one(Route, route_id).is_active = False
        elif what == "removed route":
            session.get_one(Route, route_id).deleted_at = now()
        elif what == "integration":
            session.get_one(IntegrationConfig, item.id).is_active = False
        else:
            session.get_one(Destination, destination.id).deleted_at = now()
    receive(hub, item)
    process_all(hub)
    assert not deliveries(hub)


def test_a_destination_removed_while_its_events_are_routed_gets_none(
    hub: Hub, item: Integration, destination: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_destination(hub, owner_of(item), "Other")
    for place in (destination, other):
        make_route(hub, item, place)

    def remove_meanwhile(event: EventFacts) -> Derived:
        remove(hub, owner_of(item), destination.id, typed_name=destination.name)
        return derive(event)

    monkeypatch.setattr(processing, "derive", remove_meanwhile)
    receive(hub, item)
    process_all(hub)
    assert [row.destination_id for row in deliveries(hub)] == [other.id]


def test_a_removal_waits_for_the_deliveries_that_are_being_added(
    hub: Hub, item: Integration, destination: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_route(hub, item, destination)
    with ThreadPoolExecutor(1) as pool:
        removals = []

        def remove_afterwards(session: Session, routed: Sequence[Any]) -> None:
            enqueue(session, routed)
            removals.append(
                pool.submit(
                    remove, hub, owner_of(item), destination.id, typed_name=destination.name
                )
            )
            time.sleep(0.3)

        monkeypatch.setattr(processing, "enqueue", remove_afterwards)
        receive(hub, item)
        process_all(hub)
        assert [each.result() for each in removals] == [1]
    assert [row.status for row in deliveries(hub)] == ["cancelled"]


@pytest.mark.parametrize("changes", [{"is_active": False}, {"disabled_at": now()}])
def test_events_to_paused_or_disabled_destination_are_stored(
    hub: Hub, item: Integration, changes: dict[str, Any]
) -> None:
    make_route(hub, item, make_destination(hub, owner_of(item), **changes))
    receive(hub, item)
    process_all(hub)
    assert [row.status for row in deliveries(hub)] == ["pending"]


def test_events_of_one_integration_do_not_take_the_routes_of_another(
    hub: Hub, item: Integration, destination: Destination
) -> None:
    other = make_integration(hub, make_user(hub, "grace@example.com"), "Other desk")
    make_route(hub, item, destination)
    receive(hub, other)
    process_all(hub)
    assert not deliveries(hub)


def test_several_workers_route_each_event_once(
    hub: Hub, item: Integration, destination: Destination
) -> None:
    make_route(hub, item, destination)
    received = {receive(hub, item) for _ in range(60)}
    threads = [threading.Thread(target=process_all, args=(hub,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = [row.event_id for row in deliveries(hub)]
    assert len(made) == len(set(made))
    assert set(made) == received
