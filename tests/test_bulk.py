"""One thing done to many events: what was planned is what happens, and to nobody else's."""

from datetime import timedelta

import pytest
from sqlmodel import col, func, select

from lib.access import Actor
from lib.clock import now, shifted
from lib.connections.integrations import Integration
from lib.errors import InvalidInput, NotAllowed
from lib.events import bulk, tags
from lib.events.conditions import EventFilters
from lib.hub import Hub
from lib.models import AuditEntry, Delivery, EventKey, WebhookEvent
from lib.outgoing.delivery_filters import DeliveryFilters
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
    return list(bulk.carry_out(hub, actor, planned))[-1].done


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
    assert list(bulk.carry_out(hub, eve, planned)) == []
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
        list(bulk.carry_out(hub, ana, bulk.Plan("resolve", 1, (event_id,))))
    with pytest.raises(InvalidInput):
        bulk.plan(hub, make_user(hub, "sam@example.com", "staff"), "explode", [event_id])


@pytest.mark.parametrize("action", ["cancel", "resolve", "retry", "tag"])
def test_only_what_was_shown_is_done(hub: Hub, item: Integration, ada: Actor, action: str) -> None:
    place = make_destination(hub, ada)
    first, second = make_event(hub, item, status="failed"), make_event(hub, item)
    make_delivery(hub, first, place, status="retrying")
    planned = bulk.plan(hub, ada, action, [first], tag="case=1")
    make_delivery(hub, first, place, status="retrying")
    with hub.database.write() as session:
        session.get_one(WebhookEvent, second).status = "failed"
    assert (planned.count, planned.sample) == (1, (first,))
    assert do(hub, ada, planned) == 1
    assert count(hub, col(Delivery.status) == "retrying") == (1 if action == "cancel" else 2)
    assert count(hub, col(WebhookEvent.id) == second, col(WebhookEvent.status) == "failed") == 1


def test_what_changed_meanwhile_is_counted_with_its_reason(
    hub: Hub, item: Integration, ada: Actor
) -> None:
    ids = [make_event(hub, item, status="failed") for _ in range(3)]
    planned = bulk.plan(hub, ada, "resolve", ids)
    with hub.database.write() as session:
        session.get_one(WebhookEvent, ids[1]).resolved_at = now()
    (progress,) = bulk.carry_out(hub, ada, planned)
    assert (progress.done, progress.left_out) == (2, 1)
    assert "somebody else" in progress.reason


def test_a_batch_that_is_refused_is_counted_and_the_others_are_done(
    hub: Hub, item: Integration, ada: Actor
) -> None:
    place = make_destination(hub, ada)
    ids = [make_event(hub, item) for _ in range(bulk.BATCH + 1)]
    oldest = make_delivery(hub, ids[0], place, status="dead")
    newer = [make_delivery(hub, each, place, status="dead") for each in ids[1:]]
    planned = bulk.plan(hub, ada, "replay", ids)
    assert planned.count == bulk.BATCH + 1
    with hub.database.write() as session:
        session.delete(session.get_one(Delivery, newer[0].id))
    *_, last = bulk.carry_out(hub, ada, planned)
    assert (last.done, last.left_out) == (1, bulk.BATCH)
    assert f"{bulk.BATCH} deliveries were counted" in last.reason
    assert count(hub, col(Delivery.origin_id) == oldest.id) == 1


def test_an_old_plan_is_refused_before_anything_is_done(
    hub: Hub, item: Integration, ada: Actor
) -> None:
    event_id = make_event(hub, item, status="failed")
    planned = bulk.plan(hub, ada, "resolve", [event_id])
    with shifted(bulk.PLAN_LASTS + timedelta(seconds=5)), pytest.raises(InvalidInput):
        list(bulk.carry_out(hub, ada, planned))
    assert bulk.plan(hub, ada, "resolve", [event_id]).count == 1


def test_an_event_full_of_tags_does_not_hold_up_the_others(
    hub: Hub, item: Integration, ada: Actor
) -> None:
    full, free = make_event(hub, item), make_event(hub, item)
    for number in range(tags.MOST_TAGS):
        tags.add_tag(hub, ada, [full], f"n={number}")
    planned = bulk.plan(hub, ada, "tag", [full, free], tag="case=1")
    assert planned.sample == (free,)
    assert do(hub, ada, planned) == 1


def test_matching_deliveries_are_cancelled_where_they_wait(
    hub: Hub, item: Integration, ada: Actor
) -> None:
    place, other = make_destination(hub, ada), make_destination(hub, ada)
    event_id = make_event(hub, item)
    for target, status in (
        (place, "pending"),
        (place, "retrying"),
        (place, "dead"),
        (other, "pending"),
    ):
        make_delivery(hub, event_id, target, status=status)
    asked = DeliveryFilters(destination_id=place.id)
    assert bulk.plan_cancelling(hub, make_user(hub, "eve@example.com"), asked).count == 0
    planned = bulk.plan_cancelling(hub, ada, asked)
    assert planned.by_destination == ((place.name, 2),)
    make_delivery(hub, event_id, place, status="pending")
    assert do(hub, ada, planned) == 2
    assert count(hub, col(Delivery.status) == "cancelled") == 2
    with pytest.raises(NotAllowed):
        bulk.plan_cancelling(hub, make_user(hub, "ana@example.com", "analyst"), asked)
