"""One thing done to many events: what was planned is what happens, and to nobody else's."""

import pytest
from sqlmodel import col, func, select

from lib import bulk
from lib.access import Actor
from lib.errors import InvalidInput, NotAllowed
from lib.event_conditions import EventFilters
from lib.hub import Hub
from lib.integrations import Integration
from lib.models import AuditEntry, Delivery, EventKey, WebhookEvent
from lib.outgoing.replays import work_replays
from tests.delivering import owner_of
from tests.event_factories import make_event, make_integration
from tests.factories import make_user
from tests.outgoing_factories import make_delivery, make_destination


@pytest.fixture
def item(hub: Hub) -> Integration:
    return make_integration(hub, make_user(hub))


@pytest.fixture
def ada(item: Integration) -> Actor:
    return owner_of(item)


def do(hub: Hub, actor: Actor, planned: bulk.Plan) -> int:
    return list(bulk.carry_out(hub, actor, planned))[-1]


def count(hub: Hub, *conditions: object) -> int:
    query = select(func.count())
    for condition in conditions:
        query = query.where(condition)  # type: ignore[call-overload]
    with hub.database.read() as session:
        return session.exec(query).one()  # type: ignore[no-any-return]


def test_all_that_match_are_found_once(hub: Hub, item: Integration, ada: Actor) -> None:
    ids = [make_event(hub, item) for _ in range(3)]
    make_event(hub, item, status="failed")
    found = bulk.match(hub, ada, EventFilters(status="success"))
    assert found == bulk.Matched(tuple(reversed(ids)), is_all=True)


def test_replaying_takes_the_newest_ended_delivery_to_each_place(
    hub: Hub, item: Integration, ada: Actor
) -> None:
    place, other = make_destination(hub, ada), make_destination(hub, ada)
    first, second, third = (make_event(hub, item) for _ in range(3))
    for event_id, target, status in (
        (first, place, "dead"),
        (first, place, "delivered"),
        (first, other, "dead"),
        (second, place, "pending"),
        (third, place, "cancelled"),
    ):
        make_delivery(hub, event_id, target, status=status)
    planned = bulk.plan(hub, ada, "replay", [first, second, third])
    assert planned.count == 3
    assert sum(number for _, number in planned.by_destination) == 3
    make_delivery(hub, make_event(hub, item), place, status="dead")
    assert do(hub, ada, planned) == 3
    while work_replays(hub):
        pass
    assert count(hub, col(Delivery.origin_id).is_not(None)) == 3
    again = bulk.plan(hub, ada, "replay", [first, third])
    assert again.replayed_before == 0, "their newest deliveries are open again"


def test_queued_deliveries_are_cancelled_and_running_ones_are_not(
    hub: Hub, item: Integration, ada: Actor
) -> None:
    place, event_id = make_destination(hub, ada), make_event(hub, item)
    for status in ("pending", "retrying", "delivered"):
        make_delivery(hub, event_id, place, status=status)
    planned = bulk.plan(hub, ada, "cancel", [event_id])
    assert planned.count == 2
    assert do(hub, ada, planned) == 2
    assert count(hub, col(Delivery.status) == "cancelled") == 2
    assert count(hub, col(AuditEntry.action) == "delivery.cancelled") == 2


@pytest.mark.parametrize(("action", "status"), [("resolve", "failed"), ("retry", "pending")])
def test_failed_events_are_resolved_or_tried_again(
    hub: Hub, item: Integration, ada: Actor, action: str, status: str
) -> None:
    ids = [make_event(hub, item, status="failed"), make_event(hub, item)]
    planned = bulk.plan(hub, ada, action, ids)
    assert planned.count == 1
    assert do(hub, ada, planned) == 1
    with hub.database.read() as session:
        row = session.get_one(WebhookEvent, ids[0])
    assert row.status == status
    assert (row.resolved_at is not None) == (action == "resolve")
    assert bulk.plan(hub, ada, action, ids).count == 0


def test_tags_go_on_and_off(hub: Hub, item: Integration, ada: Actor) -> None:
    ids = [make_event(hub, item) for _ in range(3)]
    assert do(hub, ada, bulk.plan(hub, ada, "tag", ids, tag="Case = 47")) == 3
    is_tag = col(EventKey.kind) == "tag"
    assert count(hub, is_tag, col(EventKey.value) == "case=47") == 3
    assert do(hub, ada, bulk.plan(hub, ada, "untag", ids[:2], tag="case=47")) == 2
    assert count(hub, is_tag) == 1
    with pytest.raises(InvalidInput):
        bulk.plan(hub, ada, "tag", ids, tag="no equals sign")


@pytest.mark.parametrize("action", ["replay", "cancel", "resolve", "retry"])
def test_events_of_others_are_left_alone(hub: Hub, item: Integration, action: str) -> None:
    event_id = make_event(hub, item, status="failed")
    place = make_destination(hub, owner_of(item))
    for status in ("dead", "pending"):
        make_delivery(hub, event_id, place, status=status)
    eve = make_user(hub, "eve@example.com")
    assert bulk.match(hub, eve, EventFilters()).ids == ()
    planned = bulk.plan(hub, eve, action, [event_id])
    assert planned.count == 0
    assert sum(bulk.carry_out(hub, eve, planned)) == 0
    assert count(hub, col(WebhookEvent.status) == "failed") == 1
    assert count(hub, col(Delivery.status) == "pending") == 1


def test_analysts_change_nothing(hub: Hub, item: Integration) -> None:
    ana = make_user(hub, "ana@example.com", "analyst")
    event_id = make_event(hub, item, status="failed")
    with pytest.raises(NotAllowed):
        bulk.match(hub, ana, EventFilters())
    with pytest.raises(NotAllowed):
        bulk.plan(hub, ana, "resolve", [event_id])
    with pytest.raises(NotAllowed):
        list(bulk.carry_out(hub, ana, bulk.Plan("resolve", (event_id,), 1)))
    with pytest.raises(InvalidInput):
        bulk.plan(hub, make_user(hub, "sam@example.com", "staff"), "explode", [event_id])
