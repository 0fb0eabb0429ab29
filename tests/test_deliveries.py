"""Deliveries: lists by filter, one in full, hurrying and cancelling queued ones."""

import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import update
from sqlmodel import col, select

from lib.access import Actor
from lib.clock import now
from lib.connections.integrations import Integration
from lib.errors import InvalidInput, NotAllowed, NotFound
from lib.events.figures import figures_of
from lib.hub import Hub
from lib.models import AuditEntry, Delivery, Destination, WebhookEvent
from lib.outgoing import deliveries
from lib.outgoing.delivery_filters import STATUSES, DeliveryFilters, from_json, to_json
from lib.providers.webhook.target import HttpEndpoint
from tests.event_factories import SMS, make_event, make_integration
from tests.factories import make_user
from tests.outgoing_factories import make_attempt, make_delivery, make_destination, make_issue


@dataclass(frozen=True)
class Ground:
    """A member with a connection, an event and a destination."""

    hub: Hub
    ada: Actor
    item: Integration
    event_id: str
    place: Destination

    def deliver(self, status: str = "pending", **values: Any) -> Delivery:
        return make_delivery(self.hub, self.event_id, self.place, status=status, **values)

    def read(self, delivery: Delivery) -> Delivery:
        with self.hub.database.read() as session:
            return session.get_one(Delivery, delivery.id)

    def listed(self, **filters: Any) -> list[str]:
        page = deliveries.list_deliveries(self.hub, self.ada, DeliveryFilters(**filters))
        return [row.id for row in page.rows]


@pytest.fixture
def ground(hub: Hub) -> Ground:
    ada = make_user(hub)
    item = make_integration(hub, ada)
    return Ground(hub, ada, item, make_event(hub, item), make_destination(hub, ada))


def _claim(ground: Ground, delivery: Delivery) -> bool:
    """Take a due delivery as a worker does: by an update that asks for its status."""
    with ground.hub.database.write() as session:
        taken = session.execute(
            update(Delivery)
            .where(col(Delivery.id) == delivery.id)
            .where(col(Delivery.status).in_(("pending", "retrying")))
            .where(col(Delivery.next_attempt_at) <= now())
            .values(
                status="sending",
                next_attempt_at=None,
                lease_id="lea_1",
                lease_until=now() + timedelta(seconds=60),
            )
            .returning(col(Delivery.id))
        ).first()
    return taken is not None


def test_lists_are_newest_first_and_paged_by_key(ground: Ground) -> None:
    made = [ground.deliver().id for _ in range(5)]
    first = deliveries.list_deliveries(ground.hub, ground.ada, DeliveryFilters(), limit=3)
    assert [row.id for row in first.rows] == made[:1:-1]
    rest = deliveries.list_deliveries(
        ground.hub, ground.ada, DeliveryFilters(), cursor=first.next_cursor, limit=3
    )
    assert [row.id for row in rest.rows] == [made[1], made[0]]
    assert rest.next_cursor is None


def test_every_filter_narrows(ground: Ground) -> None:
    dead = ground.deliver("dead")
    issue_id = make_issue(ground.hub, dead)
    other_item = make_integration(ground.hub, ground.ada, "Shop", service_name="make")
    other_event = make_event(ground.hub, other_item, event_type="order.paid")
    other_place = make_destination(ground.hub, ground.ada, "Books")
    old = now() - timedelta(days=2)
    other = make_delivery(ground.hub, other_event, other_place, created_at=old)
    for name, value in {
        "destination_id": ground.place.id,
        "integration_id": ground.item.id,
        "service_name": "twilio",
        "event_type": "message.received",
        "event_id": ground.event_id,
        "error_class": "http_5xx",
        "issue_id": issue_id,
        "status": "dead",
        "since": now() - timedelta(days=1),
        "ids": (dead.id,),
        "min_attempts": 1,
    }.items():
        assert ground.listed(**{name: value}) == [dead.id], name
    assert ground.listed(until=now() - timedelta(days=1)) == [other.id]
    assert ground.listed() == [other.id, dead.id]
    assert ground.listed(ids=()) == []


def test_a_queued_delivery_of_a_paused_or_given_up_destination_shows_as_paused(
    ground: Ground,
) -> None:
    paused = make_destination(ground.hub, ground.ada, "Paused", is_active=False)
    gone = make_destination(ground.hub, ground.ada, "Gone", disabled_at=now())
    held = [
        make_delivery(ground.hub, ground.event_id, paused).id,
        make_delivery(ground.hub, ground.event_id, gone, status="retrying").id,
    ]
    free = ground.deliver().id
    make_delivery(ground.hub, ground.event_id, paused, status="delivered")
    assert ground.listed(status="paused") == held[::-1]
    assert ground.listed(status="pending") == [free]
    assert ground.listed(status="retrying") == []
    page = deliveries.list_deliveries(ground.hub, ground.ada, DeliveryFilters(ids=tuple(held)))
    assert {row.status for row in page.rows} == {"paused"}
    assert all(row.is_open for row in page.rows)


def test_an_unknown_status_and_too_many_ids_are_refused(ground: Ground) -> None:
    with pytest.raises(InvalidInput, match="paused"):
        ground.listed(status="gone")
    with pytest.raises(InvalidInput, match="at most 200"):
        ground.listed(ids=tuple(str(number) for number in range(201)))


def test_filters_survive_json() -> None:
    filters = DeliveryFilters(status="dead", since=now(), ids=("dlv_1", "dlv_2"))
    nothing = DeliveryFilters(ids=())
    assert from_json(to_json(nothing)) == nothing
    assert to_json(DeliveryFilters()) == {}
    assert from_json(orjson.loads(orjson.dumps(to_json(filters)))) == filters
    for wrong in (
        {"colour": "red"},
        {"status": 3},
        {"ids": "dlv_1"},
        {"min_attempts": "3"},
        {"since": "2026-01-31"},
    ):
        with pytest.raises(InvalidInput):
            from_json(wrong)


def test_a_delivery_in_full_has_its_attempts_and_the_body(ground: Ground) -> None:
    delivery = ground.deliver("delivered", attempts=2)
    make_attempt(ground.hub, delivery, outcome="retry", response_body=b"\xffbad")
    make_attempt(ground.hub, delivery, number=2)
    shown = deliveries.get_delivery(ground.hub, ground.ada, delivery.id)
    assert [attempt.line.number for attempt in shown.attempts] == [1, 2]
    first, second = shown.attempts
    assert (first.line.response_status, first.line.error_class) == (500, "http_5xx")
    assert first.response_body == "�bad"
    assert second.request_headers["webhook-id"] == delivery.id
    assert (second.timings.connect_ms, second.remote_address) == (12.25, "198.51.100.23")
    assert orjson.loads(shown.body or "")["data"] == SMS
    assert shown.body_note is None


def test_the_body_follows_the_mapping_that_the_delivery_was_routed_with(ground: Ground) -> None:
    delivery = ground.deliver(mapping="{type: type}")
    shown = deliveries.get_delivery(ground.hub, ground.ada, delivery.id)
    assert shown.body == '{"type":"message.received"}'


def test_a_body_that_cannot_be_sent_says_why(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HttpEndpoint, "most_body_bytes", 2_000)
    event_id = make_event(ground.hub, ground.item, payload={"words": "x" * 3_000})
    delivery = make_delivery(ground.hub, event_id, ground.place)
    shown = deliveries.get_delivery(ground.hub, ground.ada, delivery.id)
    assert shown.body is None
    assert "Send less by a mapping" in (shown.body_note or "")


def test_a_payload_that_retention_removed_is_named(ground: Ground) -> None:
    delivery = ground.deliver("delivered")
    with ground.hub.database.write() as session:
        session.get_one(WebhookEvent, ground.event_id).payload_removed_at = now()
    shown = deliveries.get_delivery(ground.hub, ground.ada, delivery.id)
    assert shown.body is None
    assert "removed" in (shown.body_note or "")


def test_the_deliveries_of_an_event_come_in_order_with_their_attempts(ground: Ground) -> None:
    first, second = ground.deliver("delivered"), ground.deliver("retrying")
    make_attempt(ground.hub, second, outcome="retry")
    make_delivery(ground.hub, make_event(ground.hub, ground.item), ground.place)
    shown = deliveries.deliveries_of_event(ground.hub, ground.ada, ground.event_id)
    assert [each.row.id for each in shown] == [first.id, second.id]
    assert [len(each.attempts) for each in shown] == [0, 1]
    assert [each.row.is_open for each in shown] == [False, True]


def test_the_progress_of_a_page_of_events(ground: Ground) -> None:
    for status in ("delivered", "accepted", "dead", "pending"):
        ground.deliver(status)
    bare = make_event(ground.hub, ground.item)
    found = figures_of(ground.hub, ground.ada, [ground.event_id, bare])
    assert set(found) == {ground.event_id}
    figures = found[ground.event_id]
    assert (figures.total, figures.arrived, figures.status, figures.attempts) == (4, 2, "dead", 3)


def test_destination_names_leave_out_removed_ones(ground: Ground) -> None:
    make_destination(ground.hub, ground.ada, "Removed", deleted_at=now())
    found = deliveries.destination_names(ground.hub, ground.ada)
    assert found == {ground.place.id: "Warehouse"}


def test_retry_now_makes_a_delivery_due(ground: Ground) -> None:
    delivery = ground.deliver("retrying", next_attempt_at=now() + timedelta(hours=2))
    hurried = deliveries.retry_now(ground.hub, ground.ada, delivery.id)
    assert hurried.notice == "It is sent now."
    assert _claim(ground, delivery)
    with ground.hub.database.read() as session:
        entry = session.exec(select(AuditEntry).where(AuditEntry.object_id == delivery.id)).one()
    assert (entry.action, entry.user_id) == ("delivery.retried", ground.ada.id)


def test_retry_now_while_an_automatic_retry_waits_moves_the_schedule_once(ground: Ground) -> None:
    delivery = ground.deliver("retrying", attempts=2, next_attempt_at=now() + timedelta(hours=2))
    deliveries.retry_now(ground.hub, ground.ada, delivery.id)
    deliveries.retry_now(ground.hub, ground.ada, delivery.id)
    assert ground.read(delivery).attempts == 2
    # There is one row and one time: asked for twice, it is taken once.
    assert _claim(ground, delivery)
    assert not _claim(ground, delivery)
    with pytest.raises(InvalidInput, match="being sent right now"):
        deliveries.retry_now(ground.hub, ground.ada, delivery.id)
    assert ground.read(delivery).next_attempt_at is None


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"is_active": False}, "paused"),
        ({"disabled_at": now()}, "given up"),
        ({"breaker": "open", "blocked_until": now() + timedelta(days=1)}, "failed too often"),
        ({"breaker": "open", "blocked_until": now() - timedelta(days=1)}, "sent now"),
    ],
)
def test_retry_now_says_when_the_destination_makes_it_wait(
    ground: Ground, values: dict[str, Any], words: str
) -> None:
    place = make_destination(ground.hub, ground.ada, "Slow", **values)
    delivery = make_delivery(ground.hub, ground.event_id, place)
    assert words in deliveries.retry_now(ground.hub, ground.ada, delivery.id).notice


@pytest.mark.parametrize("status", ["pending", "retrying"])
def test_a_cancelled_delivery_leaves_the_queue(ground: Ground, status: str) -> None:
    delivery = ground.deliver(status)
    shown = deliveries.cancel(ground.hub, ground.ada, delivery.id)
    row = ground.read(delivery)
    assert (shown.status, row.status, row.next_attempt_at) == ("cancelled", "cancelled", None)
    assert row.finished_at is not None
    assert not _claim(ground, delivery)


@pytest.mark.parametrize("status", [name for name in STATUSES if name not in ("paused",)])
def test_a_finished_delivery_never_changes_its_status(ground: Ground, status: str) -> None:
    delivery = ground.deliver(status)
    before = ground.read(delivery)
    if status in ("pending", "retrying"):
        deliveries.cancel(ground.hub, ground.ada, delivery.id)
        before = ground.read(delivery)
    for act in (deliveries.retry_now, deliveries.cancel):
        with pytest.raises(InvalidInput):
            act(ground.hub, ground.ada, delivery.id)
    assert ground.read(delivery) == before


def test_a_worker_and_a_person_never_both_get_a_delivery(ground: Ground) -> None:
    for _ in range(10):
        delivery = ground.deliver()
        barrier = threading.Barrier(2)
        won: list[str] = []
        refused = ""

        def take(delivery: Delivery, barrier: threading.Barrier, won: list[str]) -> None:
            barrier.wait()
            if _claim(ground, delivery):
                won.append("worker")

        worker = threading.Thread(target=take, args=(delivery, barrier, won))
        worker.start()
        barrier.wait()
        try:
            deliveries.cancel(ground.hub, ground.ada, delivery.id)
            won.append("person")
        except InvalidInput as error:
            refused = error.message
        worker.join()
        assert len(won) == 1
        status = ground.read(delivery).status
        assert status == ("sending" if won == ["worker"] else "cancelled")
        assert refused == "" or "being sent right now" in refused


def test_unknown_deliveries_are_not_found_and_analysts_only_read(ground: Ground) -> None:
    delivery = ground.deliver()
    analyst = make_user(ground.hub, "ana@example.com", "analyst")
    for act in (deliveries.retry_now, deliveries.cancel):
        with pytest.raises(NotFound):
            act(ground.hub, ground.ada, "dlv_unknown")
        with pytest.raises(NotAllowed):
            act(ground.hub, analyst, delivery.id)
    with pytest.raises(NotFound):
        deliveries.get_delivery(ground.hub, ground.ada, "dlv_unknown")
