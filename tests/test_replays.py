"""Replays: the dry run, the order, the worker's batches, and what they never do twice."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from lib.access import Actor
from lib.clock import now
from lib.connections.integrations import Integration
from lib.errors import InvalidInput, NotAllowed, NotFound
from lib.hub import Hub
from lib.models import AuditEntry, Delivery, Destination, Replay, WebhookEvent
from lib.outgoing import replay_rows, replays
from lib.outgoing.delivery_filters import DeliveryFilters
from lib.outgoing.replays import DryRun, work_replays
from lib.providers.targets import RateLimit
from lib.providers.webhook.target import HttpEndpoint
from tests.event_factories import make_event, make_integration
from tests.factories import make_user
from tests.outgoing_factories import (
    make_attempt,
    make_delivery,
    make_destination,
    make_issue,
    make_route,
)

EVERYTHING = DeliveryFilters()
DEAD = DeliveryFilters(status="dead")


@dataclass(frozen=True)
class Ground:
    """A member with a connection, an event and a destination."""

    hub: Hub
    ada: Actor
    item: Integration
    event_id: str
    place: Destination

    def deliver(self, status: str = "dead", **values: Any) -> Delivery:
        return make_delivery(self.hub, self.event_id, self.place, status=status, **values)

    def look(self, filters: DeliveryFilters = DEAD) -> DryRun:
        return replays.dry_run(self.hub, self.ada, filters)

    def finish(self, delivery: Delivery, status: str = "dead") -> None:
        with self.hub.database.write() as session:
            row = session.get_one(Delivery, delivery.id)
            row.status, row.next_attempt_at, row.finished_at = status, None, now()

    def copies(self) -> Sequence[Delivery]:
        """Return what replays made, in the order in which it was made."""
        query = select(Delivery).where(col(Delivery.origin_id).is_not(None)).order_by(Delivery.id)
        with self.hub.database.read() as session:
            return session.exec(query).all()

    def origins(self) -> list[str | None]:
        return [copy.origin_id for copy in self.copies()]


@pytest.fixture
def ground(hub: Hub) -> Ground:
    ada = make_user(hub)
    item = make_integration(hub, ada)
    return Ground(hub, ada, item, make_event(hub, item), make_destination(hub, ada))


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a worker make three deliveries at a time."""
    monkeypatch.setattr(replay_rows, "BATCH", 3)


def _work(hub: Hub) -> list[int]:
    """Work until nothing waits and return the size of each batch."""
    batches = []
    while made := work_replays(hub):
        batches.append(made)
    return batches


def test_a_replay_is_a_new_delivery_that_points_at_its_origin(ground: Ground) -> None:
    route = make_route(ground.hub, ground.item, ground.place)
    origin = ground.deliver("dead", route_id=route.id, mapping="type", attempts=9)
    issue_id = make_issue(ground.hub, origin)
    made = replays.replay_one(ground.hub, ground.ada, origin.id)
    assert (made.origin_id, made.status, made.attempts) == (origin.id, "pending", 0)
    with ground.hub.database.read() as session:
        copy, kept = session.get_one(Delivery, made.id), session.get_one(Delivery, origin.id)
    for name in ("user_id", "event_id", "destination_id", "route_id", "mapping", "event_type"):
        assert getattr(copy, name) == getattr(origin, name), name
    assert copy.next_attempt_at is not None
    assert copy.next_attempt_at <= now()
    assert (copy.issue_id, copy.last_error, copy.finished_at) == (None, None, None)
    assert (kept.status, kept.attempts, kept.issue_id) == ("dead", 9, issue_id)


def test_a_second_manual_replay_runs_again(ground: Ground) -> None:
    origin = ground.deliver()
    first = replays.replay_one(ground.hub, ground.ada, origin.id)
    assert ground.look(DeliveryFilters(ids=(origin.id,))).replayed_before == 1
    second = replays.replay_one(ground.hub, ground.ada, origin.id)
    assert first.id != second.id
    assert ground.origins() == [origin.id, origin.id]


@pytest.mark.parametrize("status", ["pending", "retrying", "sending"])
def test_an_open_delivery_is_not_replayed(ground: Ground, status: str) -> None:
    delivery = ground.deliver(status)
    with pytest.raises(InvalidInput, match="still open"):
        replays.replay_one(ground.hub, ground.ada, delivery.id)
    ground.deliver("delivered")
    seen = ground.look(EVERYTHING)
    assert (seen.count, seen.still_open) == (1, 1)
    assert "Retry now" in seen.left_out[0]
    assert ground.copies() == []


@pytest.mark.parametrize("status", ["delivered", "accepted", "dead", "cancelled"])
def test_every_finished_delivery_can_be_replayed(ground: Ground, status: str) -> None:
    origin = ground.deliver(status)
    assert replays.replay_one(ground.hub, ground.ada, origin.id).origin_id == origin.id


def test_the_dry_run_shows_count_places_and_the_newest_five(ground: Ground) -> None:
    books = make_destination(ground.hub, ground.ada, "Books", config_data={})
    made = [ground.deliver().id for _ in range(6)]
    made.append(make_delivery(ground.hub, ground.event_id, books, status="dead").id)
    seen = ground.look()
    assert seen.count == 7
    assert [(share.name, share.count) for share in seen.destinations] == [
        ("Warehouse", 6),
        ("Books", 1),
    ]
    assert [row.id for row in seen.sample] == made[:1:-1]
    assert ground.copies() == []


def test_the_estimate_follows_the_rate_limit_and_the_recent_past(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = {"rate_limit": {"per_second": 2}}
    slow = make_destination(ground.hub, ground.ada, "Slow", config_data=limit)
    for _ in range(4):
        make_delivery(ground.hub, ground.event_id, slow, status="dead")
    assert ground.look().estimated_seconds == pytest.approx(2.0)
    for _ in range(4):
        make_attempt(ground.hub, ground.deliver(), outcome="dead", total_ms=20_000.0)
    seen = ground.look(DeliveryFilters(destination_id=ground.place.id))
    assert seen.estimated_seconds == pytest.approx(4 * 20 / 50)
    monkeypatch.setattr(HttpEndpoint, "rate_limit", RateLimit(25, per_five_minutes=30))
    seen = ground.look(DeliveryFilters(destination_id=ground.place.id))
    assert seen.estimated_seconds == pytest.approx(40.0)


def test_all_that_match_are_exactly_what_the_dry_run_counted(
    ground: Ground, small_batches: None
) -> None:
    dead = [ground.deliver().id for _ in range(7)]
    waiting = [ground.deliver("retrying") for _ in range(3)]
    seen = ground.look()
    # A worker goes on meanwhile: before the order, and between its batches.
    ground.finish(waiting[0])
    order = replays.start(ground.hub, ground.ada, seen)
    assert (order.total, order.made, order.is_done) == (7, 0, False)
    ground.finish(waiting[1])
    assert work_replays(ground.hub) == 3
    ground.finish(waiting[2])
    ground.finish(ground.copies()[0])
    ground.deliver()
    assert _work(ground.hub) == [3, 1]
    assert ground.origins() == dead
    done = replays.progress(ground.hub, ground.ada, order.id)
    assert (done.made, done.gone, done.is_done) == (seen.count, 0, True)


def test_a_replay_of_everything_never_replays_itself(
    ground: Ground, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    origins = [ground.deliver("delivered").id for _ in range(5)]
    order = replays.start(ground.hub, ground.ada, ground.look(EVERYTHING))
    # This worker's clock is behind, so its new ids sort among those that are still to be done.
    behind = (f"dlv_{number:032x}" for number in range(int(origins[3][4:], 16) + 1, 2**128))
    monkeypatch.setattr(replay_rows, "new_id", lambda prefix: next(behind))
    assert work_replays(ground.hub) == 3
    for copy in ground.copies():
        with ground.hub.database.write() as session:
            row = session.get_one(Delivery, copy.id)
            row.status, row.next_attempt_at = "delivered", None
            row.finished_at = row.created_at - timedelta(days=1)
    assert _work(ground.hub) == [2]
    assert sorted(str(origin) for origin in ground.origins()) == origins
    assert replays.progress(ground.hub, ground.ada, order.id).made == 5


def test_a_crash_between_and_within_batches_repeats_nothing_and_leaves_nothing_out(
    ground: Ground, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = [ground.deliver().id for _ in range(8)]
    order = replays.start(ground.hub, ground.ada, ground.look())
    assert work_replays(ground.hub) == 3
    with monkeypatch.context() as crashing:
        crashing.setattr(replay_rows, "read_scope", _crash)
        with pytest.raises(OSError, match="power"):
            work_replays(ground.hub)
    calls: list[str] = []
    with monkeypatch.context() as crashing:
        # Rows were written already; the cursor was not.
        crashing.setattr(Replay, "__setattr__", _crash_at_cursor(calls))
        with pytest.raises(OSError, match="power"):
            work_replays(ground.hub)
    assert calls == ["cursor"]
    assert len(ground.copies()) == 3
    assert _work(ground.hub) == [3, 2]
    assert ground.origins() == dead
    assert replays.progress(ground.hub, ground.ada, order.id).is_done


def _crash(_replay: Replay) -> Any:
    raise OSError("power")


def _crash_at_cursor(calls: list[str]) -> Any:
    real = Replay.__setattr__

    def crash(replay: Replay, name: str, value: Any) -> None:
        if name == "cursor":
            calls.append(name)
            raise OSError("power")
        real(replay, name, value)

    return crash


def test_a_worker_passes_over_an_order_of_another(ground: Ground, small_batches: None) -> None:
    hub, ada = ground.hub, ground.ada
    ids = [ground.deliver().id for _ in range(4)]
    orders = [replays.start(hub, ada, ground.look()).id for _ in range(2)]
    if not hub.database.is_sqlite:
        with hub.database.write() as session:
            session.get_one(Replay, orders[0], with_for_update=True)
            assert work_replays(hub) == 3
            assert replays.progress(hub, ada, orders[1]).made == 3
    _work(hub)
    assert [replays.progress(hub, ada, order).made for order in orders] == [4, 4]
    assert sorted(str(origin) for origin in ground.origins()) == sorted(ids * 2)


def test_a_removal_waits_for_the_batch_that_it_would_break(
    ground: Ground, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        ground.deliver()
    replays.start(ground.hub, ground.ada, ground.look())
    seen: list[int] = []

    def remove() -> None:
        with ground.hub.database.write() as session:
            session.get_one(Destination, ground.place.id).deleted_at = now()
            session.flush()
            of_place = select(Delivery).where(col(Delivery.destination_id) == ground.place.id)
            queued = of_place.where(col(Delivery.status) == "pending")
            seen.append(len(session.exec(queued).all()))

    remover = threading.Thread(target=remove)
    real = replay_rows.new_id

    def start_removal_then_make(prefix: str) -> str:
        if not remover.is_alive() and not seen:
            remover.start()
            remover.join(0.3)
        return real(prefix)

    monkeypatch.setattr(replay_rows, "new_id", start_removal_then_make)
    assert work_replays(ground.hub) == 2
    remover.join()
    # The removal finds the new ones, so it can cancel them.
    assert seen == [2]


def test_what_is_removed_after_the_order_is_explained(ground: Ground, small_batches: None) -> None:
    for _ in range(4):
        ground.deliver()
    event_id = make_event(ground.hub, ground.item)
    emptied = make_delivery(ground.hub, event_id, ground.place, status="dead")
    order = replays.start(ground.hub, ground.ada, ground.look())
    with ground.hub.database.write() as session:
        session.get_one(WebhookEvent, event_id).payload_removed_at = now()
    assert _work(ground.hub) == [3, 1]
    done = replays.progress(ground.hub, ground.ada, order.id)
    assert (done.total, done.made, done.gone, done.is_done) == (5, 4, 1, True)
    assert emptied.id not in ground.origins()


def test_an_order_is_refused_when_the_count_is_no_longer_true(ground: Ground) -> None:
    ground.deliver()
    event_id = make_event(ground.hub, ground.item)
    make_delivery(ground.hub, event_id, ground.place, status="dead")
    seen = ground.look()
    with ground.hub.database.write() as session:
        session.get_one(WebhookEvent, event_id).payload_removed_at = now()
    with pytest.raises(InvalidInput, match="2 deliveries were counted, and 1 are there now"):
        replays.start(ground.hub, ground.ada, seen)
    assert ground.copies() == []


def test_removed_destinations_and_payloads_are_left_out_with_the_reason(ground: Ground) -> None:
    removed = make_destination(ground.hub, ground.ada, "Gone", deleted_at=now())
    placeless = make_delivery(ground.hub, ground.event_id, removed, status="dead")
    empty_event = make_event(ground.hub, ground.item)
    empty = make_delivery(ground.hub, empty_event, ground.place, status="dead")
    with ground.hub.database.write() as session:
        session.get_one(WebhookEvent, empty_event).payload_removed_at = now()
    kept = ground.deliver()
    seen = ground.look()
    assert (seen.count, seen.removed_destination, seen.removed_payload) == (1, 1, 1)
    assert [row.id for row in seen.sample] == [kept.id]
    assert len(seen.left_out) == 2
    for delivery, word in ((placeless, "destination"), (empty, "payload")):
        with pytest.raises(InvalidInput, match=word):
            replays.replay_one(ground.hub, ground.ada, delivery.id)
        with pytest.raises(InvalidInput, match="nothing to replay"):
            replays.start(ground.hub, ground.ada, ground.look(DeliveryFilters(ids=(delivery.id,))))


@pytest.mark.parametrize("values", [{"is_active": False}, {"disabled_at": now()}])
def test_what_a_paused_or_disabled_destination_missed_is_stored_and_replayable(
    ground: Ground, values: dict[str, Any]
) -> None:
    held = make_destination(ground.hub, ground.ada, "Held", **values)
    origin = make_delivery(ground.hub, ground.event_id, held, status="dead")
    seen = ground.look()
    assert [(share.count, share.waits) for share in seen.destinations] == [(1, True)]
    assert seen.estimated_seconds == 0
    made = replays.replay_one(ground.hub, ground.ada, origin.id)
    assert made.status == "paused"
    with ground.hub.database.read() as session:
        assert session.get_one(Delivery, made.id).next_attempt_at is not None


def test_a_selection_takes_the_chosen_alone(ground: Ground) -> None:
    chosen = [ground.deliver().id, ground.deliver("delivered").id]
    ground.deliver()
    order = replays.start(ground.hub, ground.ada, ground.look(DeliveryFilters(ids=tuple(chosen))))
    assert order.total == 2
    assert _work(ground.hub) == [2]
    assert ground.origins() == chosen


def test_a_single_one_is_made_at_once(ground: Ground) -> None:
    origin = ground.deliver()
    order = replays.start(ground.hub, ground.ada, ground.look())
    assert (order.made, order.is_done) == (1, True)
    assert ground.origins() == [origin.id]
    assert work_replays(ground.hub) == 0


def test_members_replay_their_own_and_staff_everything(ground: Ground, small_batches: None) -> None:
    bob = make_user(ground.hub, "bob@example.com")
    staff = make_user(ground.hub, "sam@example.com", "staff")
    event_id = make_event(ground.hub, make_integration(ground.hub, bob, service_name="make"))
    place = make_destination(ground.hub, bob, "Bob's")
    theirs = make_delivery(ground.hub, event_id, place, status="dead")
    own = ground.deliver()
    assert ground.look().count == 1
    forged = replays.dry_run(ground.hub, staff, DEAD)
    assert forged.count == 2
    with pytest.raises(InvalidInput, match="2 deliveries were counted"):
        replays.start(ground.hub, ground.ada, forged)
    order = replays.start(ground.hub, staff, forged)
    with pytest.raises(NotFound):
        replays.progress(ground.hub, ground.ada, order.id)
    _work(ground.hub)
    assert sorted(str(each) for each in ground.origins()) == sorted([own.id, theirs.id])
    # The copies belong to the members, not to whoever ordered them.
    assert {copy.user_id for copy in ground.copies()} == {ground.ada.id, bob.id}
    with pytest.raises(NotFound):
        replays.replay_one(ground.hub, ground.ada, theirs.id)


def test_an_order_is_on_record(ground: Ground) -> None:
    ground.deliver()
    order = replays.start(ground.hub, ground.ada, ground.look())
    with ground.hub.database.read() as session:
        entry = session.exec(select(AuditEntry).where(AuditEntry.object_id == order.id)).one()
    assert (entry.action, entry.details) == ("replay.started", {"count": "1"})


def test_an_event_is_sent_to_any_own_destination(ground: Ground) -> None:
    bob = make_user(ground.hub, "bob@example.com")
    foreign = make_destination(ground.hub, bob, "Bob's")
    removed = make_destination(ground.hub, ground.ada, "Removed", deleted_at=now())
    choices = replays.send_choices(ground.hub, ground.ada, ground.event_id)
    assert choices == {ground.place.id: "Warehouse"}
    made = replays.send_event(ground.hub, ground.ada, ground.event_id, ground.place.id)
    with ground.hub.database.read() as session:
        row = session.get_one(Delivery, made.id)
    assert (row.status, row.route_id, row.mapping, row.origin_id) == ("pending", None, None, None)
    assert row.next_attempt_at is not None
    staff = make_user(ground.hub, "sam@example.com", "staff")
    for actor, place in ((ground.ada, foreign), (staff, foreign), (ground.ada, removed)):
        with pytest.raises(NotFound):
            replays.send_event(ground.hub, actor, ground.event_id, place.id)
    with pytest.raises(NotFound):
        replays.send_event(ground.hub, bob, ground.event_id, foreign.id)


def test_an_emptied_event_cannot_be_sent(ground: Ground) -> None:
    with ground.hub.database.write() as session:
        session.get_one(WebhookEvent, ground.event_id).payload_removed_at = now()
    with pytest.raises(InvalidInput, match="nothing to send"):
        replays.send_event(ground.hub, ground.ada, ground.event_id, ground.place.id)


def test_analysts_replay_nothing(ground: Ground) -> None:
    analyst = make_user(ground.hub, "ana@example.com", "analyst")
    origin = ground.deliver()
    seen = ground.look()
    for act in (
        lambda: replays.dry_run(ground.hub, analyst, DEAD),
        lambda: replays.start(ground.hub, analyst, seen),
        lambda: replays.replay_one(ground.hub, analyst, origin.id),
        lambda: replays.send_event(ground.hub, analyst, ground.event_id, ground.place.id),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert ground.copies() == []
