"""The figures of the first screen, on both databases."""

from datetime import timedelta

import pytest

from lib import overview
from lib.clock import now
from lib.connections import integrations
from lib.connections.integrations import Integration
from lib.hub import Hub
from lib.ids import new_id
from lib.models import Alert, Destination, IntegrationConfig, WebhookEvent, WorkerHeartbeat
from tests.destination_factories import (
    add_destination,
    add_route,
    make_delivery_rollup,
    use_targets,
)
from tests.event_factories import make_event, make_integration, make_rollup
from tests.factories import make_user
from tests.outgoing_factories import make_delivery, make_destination, make_issue


def test_tiles_count_one_day_and_what_waits_now(hub: Hub) -> None:
    actor = make_user(hub)
    item = make_integration(hub, actor)
    make_rollup(hub, item, 7)
    make_rollup(hub, item, 2, outcome="rejected", event_type="wrong_signature")
    make_rollup(hub, item, 90, hour=now() - timedelta(days=2))
    make_event(hub, item, status="failed")
    make_event(hub, item, status="pending", age=timedelta(minutes=5))
    found = overview.first_screen(hub, actor)[0]
    assert (found.received, found.rejected, found.failed, found.queue.events) == (7, 2, 1, 1)
    assert found.queue.oldest_seconds == pytest.approx(300, abs=5)


def test_the_queue_holds_deliveries_that_are_due_and_not_held_back(hub: Hub) -> None:
    ada, ben = make_user(hub), make_user(hub, "ben@example.com")
    item = make_integration(hub, ada)
    event_id = make_event(hub, item)
    due, later, asleep = (make_destination(hub, ada) for _ in range(3))
    moment = now()
    for place, at in (
        (due, moment - timedelta(minutes=7)),
        (due, moment - timedelta(minutes=2)),
        (later, moment + timedelta(hours=1)),
        (asleep, moment - timedelta(hours=3)),
    ):
        make_delivery(hub, event_id, place, status="pending", next_attempt_at=at)
    with hub.database.write() as session:
        session.get_one(Destination, asleep.id).is_active = False
    found = overview.queue(hub, ada)
    assert (found.events, found.deliveries) == (0, 2)
    assert found.oldest_seconds == pytest.approx(420, abs=5)
    assert overview.queue(hub, ben) == overview.Queue(0, 0, None)


def test_tiles_of_an_empty_hub(hub: Hub) -> None:
    found = overview.first_screen(hub, make_user(hub))[0]
    assert (found.received, found.rejected, found.failed) == (0, 0, 0)
    assert found.queue.oldest_seconds is None


def test_a_card_has_24_bars_that_end_now(hub: Hub) -> None:
    actor = make_user(hub)
    item = make_integration(hub, actor)
    make_rollup(hub, item, 3)
    make_rollup(hub, item, 5, hour=now() - timedelta(hours=23))
    make_rollup(hub, item, 2, outcome="rejected")
    (card,) = overview.first_screen(hub, actor)[1]
    assert list(card.hourly_received) == [5, *[0] * 22, 3]
    assert (card.received, card.rejected, card.last_event_at) == (8, 2, None)


def _say_silent(hub: Hub, item: Integration) -> None:
    moment = now()
    with hub.database.write() as session:
        session.add(
            Alert(
                id=new_id("alr"),
                user_id=item.user_id,
                kind="integration_silent",
                object_id=item.id,
                state="open",
                title="",
                message="",
                path="",
                count=1,
                first_seen_at=moment,
                last_seen_at=moment,
            )
        )


def test_the_state_of_a_card_says_what_to_do(hub: Hub) -> None:
    actor = make_user(hub)
    names = ("a new", "b healthy", "c failing", "d silent", "e paused", "f refused by vendor")
    new, healthy, failing, silent, paused, refused = (
        make_integration(hub, actor, name, service_name="make") for name in names
    )
    for item in (healthy, paused, refused):
        make_event(hub, item)
    make_event(hub, failing, status="failed")
    make_event(hub, silent, age=timedelta(days=3))
    _say_silent(hub, silent)
    integrations.pause(hub, actor, paused.id)
    _set_status(hub, refused.id, "failed")
    states = {card.integration.name: card.state for card in overview.first_screen(hub, actor)[1]}
    assert list(states) == list(names)
    assert list(states.values()) == [
        "needs_setup",
        "healthy",
        "failing",
        "silent",
        "paused",
        "failing",
    ]
    assert new.id


def test_needs_names_the_worst_first_and_skips_paused_ones(hub: Hub) -> None:
    actor = make_user(hub)
    a = make_integration(hub, actor, "a", service_name="make")
    b = make_integration(hub, actor, "b", service_name="make")
    c = make_integration(hub, actor, "c", service_name="make")
    make_rollup(hub, a, 4, outcome="rejected")
    make_event(hub, b, status="failed")
    _set_status(hub, b.id, "failed")
    make_event(hub, c, status="failed")
    integrations.pause(hub, actor, c.id)
    found = overview.needs(overview.first_screen(hub, actor)[1])
    assert [(need.kind, need.card.integration.name, need.count) for need in found] == [
        ("check", "b", 1),
        ("failed", "b", 1),
        ("rejected", "a", 4),
    ]


def test_volume_is_by_hour_and_service_over_the_period(hub: Hub) -> None:
    actor = make_user(hub)
    item = make_integration(hub, actor)
    make_rollup(hub, item, 3)
    make_rollup(hub, item, 4, event_type="call.received")
    make_rollup(hub, item, 9, hour=now() - timedelta(hours=50))
    day = overview.volume(hub, actor, hours=24)
    assert [(point.service_name, point.outcome, point.count) for point in day] == [
        ("twilio", "received", 7)
    ]
    assert sum(point.count for point in overview.volume(hub, actor, hours=168)) == 16


def test_a_worker_that_was_silent_for_a_minute_is_not_at_work(hub: Hub) -> None:
    assert overview.worker_state(hub) == overview.WorkerState(False, None)
    _beat(hub, "wrk_1", age=timedelta(minutes=1))
    assert not overview.worker_state(hub).is_alive
    _beat(hub, "wrk_2", age=timedelta(seconds=1))
    assert overview.worker_state(hub).is_alive


def _set_status(hub: Hub, integration_id: str, status: str) -> None:
    with hub.database.write() as session:
        session.get_one(IntegrationConfig, integration_id).status = status


def _beat(hub: Hub, worker_id: str, *, age: timedelta) -> None:
    moment = now() - age
    with hub.database.write() as session:
        session.add(WorkerHeartbeat(id=worker_id, host="here", started_at=moment, beat_at=moment))


def test_tiles_tell_what_arrived_and_at_the_first_attempt(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_targets(monkeypatch)
    actor = make_user(hub)
    place = add_destination(hub, actor).destination
    make_delivery_rollup(hub, place, 3)
    make_delivery_rollup(hub, place, 1, outcome="retry")
    make_delivery_rollup(hub, place, 9, hour=now() - timedelta(hours=30))
    found = overview.first_screen(hub, actor)[0].delivered
    assert (found.hourly[-1], found.total, found.first_attempt_share) == (3, 3, 0.75)
    other = make_user(hub, "bob@example.com")
    assert overview.first_screen(hub, other)[0].delivered.first_attempt_share is None


def test_dead_letters_of_open_issues_fail_now(hub: Hub) -> None:
    actor = make_user(hub)
    event_id = make_event(hub, make_integration(hub, actor))
    place = make_destination(hub, actor)
    make_issue(hub, *[make_delivery(hub, event_id, place, status="dead") for _ in range(2)])
    assert overview.first_screen(hub, actor)[0].dead == 2
    assert overview.first_screen(hub, make_user(hub, "bob@example.com"))[0].dead == 0


@pytest.mark.parametrize("column", ["resolved_at", "payload_removed_at"])
def test_what_nobody_needs_to_mend_no_longer_counts_as_failed(hub: Hub, column: str) -> None:
    actor = make_user(hub)
    event_id = make_event(hub, make_integration(hub, actor), status="failed")
    assert overview.first_screen(hub, actor)[0].failed == 1
    with hub.database.write() as session:
        setattr(session.get_one(WebhookEvent, event_id), column, now())
    assert overview.first_screen(hub, actor)[0].failed == 0
    (card,) = overview.first_screen(hub, actor)[1]
    assert (card.failed, card.state) == (0, "healthy")


def test_a_card_has_the_figures_of_its_routes_destinations(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_targets(monkeypatch)
    actor = make_user(hub)
    a = make_integration(hub, actor, "a", service_name="make")
    b = make_integration(hub, actor, "b", service_name="make")
    make_event(hub, a)
    make_event(hub, b)
    place = add_destination(hub, actor).destination
    # Two routes to one destination count it once.
    add_route(hub, actor, a, place)
    add_route(hub, actor, a, place)
    make_delivery_rollup(hub, place, 9)
    make_delivery_rollup(hub, place, 1, outcome="dead")
    first, second = overview.first_screen(hub, actor)[1]
    assert first.onwards.success_share == 0.9
    assert first.onwards.p95_milliseconds == pytest.approx(32)
    assert (first.state, second.state) == ("degraded", "healthy")
    assert second.onwards == overview.Onwards(None, None)


def test_a_connection_that_refuses_much_is_degraded(hub: Hub) -> None:
    actor = make_user(hub)
    item = make_integration(hub, actor)
    make_event(hub, item)
    make_rollup(hub, item, 95)
    make_rollup(hub, item, 5, outcome="rejected")
    assert overview.first_screen(hub, actor)[1][0].state == "healthy"
    make_rollup(hub, item, 1, outcome="rejected", event_type="other")
    assert overview.first_screen(hub, actor)[1][0].state == "degraded"
