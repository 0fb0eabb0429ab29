"""Retention: each kind of content by its own age, in small batches, by one worker at a time."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import Connection, event
from sqlmodel import select

from lib.access import Actor
from lib.clock import now, shifted
from lib.connections.integrations import Integration
from lib.errors import InvalidInput
from lib.events.reading import EventFilters, get_event, list_events, retry_event
from lib.hub import Hub
from lib.ids import new_id
from lib.models import (
    AuditEntry,
    Delivery,
    MessageState,
    RetentionRun,
    RetentionWaiting,
    WebhookEvent,
)
from lib.processing.message_states import OwnedReport, advance
from lib.providers.reports import StateReport
from lib.retention.plans import get_retention, project, set_retention
from lib.retention.rounds import RetentionWork
from tests.event_factories import make_event, make_integration, make_rejection, make_rollup
from tests.factories import make_user
from tests.retention_rows import (
    counts,
    do_round,
    fill,
    make_delivery_row,
    make_destination_row,
    make_old_event,
    make_records,
    with_payload,
)
from tests.totals_of import assert_totals_are_right

UNFINISHED = ("pending", "sending", "retrying")
FINISHED = ("delivered", "accepted", "dead", "cancelled")


@pytest.fixture
def ada(hub: Hub) -> Actor:
    return make_user(hub)


@pytest.fixture(autouse=True)
def right_totals(hub: Hub) -> Iterator[None]:
    """Whatever was removed, the totals are the sums of what is left at the end."""
    yield
    assert_totals_are_right(hub)


@pytest.fixture
def item(hub: Hub, ada: Actor) -> Integration:
    return make_integration(hub, ada)


@pytest.fixture
def destination_id(hub: Hub, ada: Actor) -> str:
    return make_destination_row(hub, ada)


def _later(hub: Hub, hours: int = 2, **more: int) -> int:
    with shifted(timedelta(hours=hours)):
        return do_round(hub, **more)


def _last_run(hub: Hub) -> RetentionRun:
    with hub.database.read() as session:
        return session.exec(select(RetentionRun).order_by(RetentionRun.id.desc())).first()


def test_content_attempts_index_and_counts_go_each_at_their_own_age(
    hub: Hub, item: Integration, destination_id: str
) -> None:
    for days in (10, 40, 100, 500):
        event_id = make_old_event(hub, item, days)
        with shifted(-timedelta(days=days)):
            make_delivery_row(hub, event_id, destination_id, attempts=2)
            make_rejection(hub, item)
        make_records(hub, item, destination_id, days=days)
    do_round(hub)
    assert len(with_payload(hub)) == 1
    assert counts(hub) == {
        "webhook_events": 3,
        "deliveries": 3,
        "rejected_requests": 3,
        "event_keys": 4,
        "search_documents": 2,
        "delivery_attempts": 2,
        "api_calls": 1,
        "hourly_rollups": 3,
        "delivery_rollups": 3,
    }
    assert _last_run(hub).removed == {
        "events": 1,
        "deliveries": 1,
        "payloads": 2,
        "keys": 4,
        "documents": 2,
        "attempts": 6,
        "calls": 3,
        "rejections": 1,
        "rollups": 1,
        "delivery_rollups": 1,
    }


def test_metadata_stays_when_the_payload_goes(hub: Hub, ada: Actor, item: Integration) -> None:
    event_id = make_old_event(hub, item, 40)
    before = get_event(hub, ada, event_id)
    do_round(hub)
    after = get_event(hub, ada, event_id)
    assert (after.payload, after.headers, after.verification) == (None, {}, {})
    assert after.payload_removed_after_days == 40
    assert after.keys == before.keys
    assert after.row.external_id == before.row.external_id
    (row,) = list_events(hub, ada, EventFilters()).rows
    assert row.summary == "Payload removed after 40 days"


@pytest.mark.parametrize("status", UNFINISHED)
def test_an_unfinished_delivery_keeps_its_payload_until_it_is_finished(
    hub: Hub, item: Integration, destination_id: str, status: str
) -> None:
    event_id, other = make_old_event(hub, item, 500), make_old_event(hub, item, 40)
    delivery_id = make_delivery_row(hub, event_id, destination_id, status=status, attempts=0)
    make_delivery_row(hub, event_id, destination_id)
    do_round(hub)
    assert with_payload(hub) == {event_id}
    _later(hub)
    assert with_payload(hub) == {event_id}
    with hub.database.write() as session:
        session.get_one(Delivery, delivery_id).status = "delivered"
    _later(hub, hours=4)
    assert with_payload(hub) == set()
    with hub.database.read() as session:
        assert list(session.exec(select(WebhookEvent.id))) == [other]
        assert list(session.exec(select(RetentionWaiting))) == []


def test_a_pending_event_is_taken_once_it_is_processed(hub: Hub, item: Integration) -> None:
    event_id = make_old_event(hub, item, 120, status="pending")
    do_round(hub)
    assert with_payload(hub) == {event_id}
    assert counts(hub)["search_documents"] == 1
    with hub.database.write() as session:
        session.get_one(WebhookEvent, event_id).status = "success"
    _later(hub)
    assert with_payload(hub) == set()
    assert counts(hub)["search_documents"] == counts(hub)["event_keys"] == 0


def test_an_event_processed_again_after_its_index_went_leaves_the_index_again(
    hub: Hub, ada: Actor, item: Integration
) -> None:
    set_retention(hub, ada, item.id, {"index_days": 5})
    event_id = make_old_event(hub, item, 10, status="failed")
    do_round(hub)
    retry_event(hub, ada, event_id)
    with hub.database.write() as session:
        session.get_one(WebhookEvent, event_id).status = "success"
    _later(hub)
    assert counts(hub)["search_documents"] == counts(hub)["event_keys"] == 0
    assert with_payload(hub) == {event_id}


def test_a_failed_event_without_its_payload_is_not_processed_again(
    hub: Hub, ada: Actor, item: Integration
) -> None:
    event_id = make_old_event(hub, item, 40, status="failed")
    do_round(hub)
    with pytest.raises(InvalidInput, match="removed after 40 days"):
        retry_event(hub, ada, event_id)


def test_retention_never_changes_the_status_of_what_is_finished(
    hub: Hub, item: Integration, destination_id: str
) -> None:
    statuses = {}
    with shifted(-timedelta(days=40)):
        for status in FINISHED:
            event_id = make_event(hub, item, status="failed")
            statuses[make_delivery_row(hub, event_id, destination_id, status=status)] = status
    do_round(hub)
    with hub.database.read() as session:
        assert {row.id: row.status for row in session.exec(select(Delivery))} == statuses
        assert set(session.exec(select(WebhookEvent.status))) == {"failed"}
    assert with_payload(hub) == set()


def test_an_integration_has_ages_of_its_own(hub: Hub, ada: Actor, item: Integration) -> None:
    other = make_integration(hub, ada, "Night desk")
    set_retention(hub, ada, item.id, {"payload_days": 7})
    make_old_event(hub, item, 10)
    kept = make_old_event(hub, other, 10)
    do_round(hub)
    assert with_payload(hub) == {kept}
    set_retention(hub, ada, other.id, {"payload_days": 8})
    _later(hub)
    assert with_payload(hub) == set()


def test_counts_of_destinations_stay_for_the_longest_age_of_their_user(
    hub: Hub, ada: Actor, item: Integration, destination_id: str
) -> None:
    other = make_integration(hub, ada, "Night desk")
    set_retention(hub, ada, item.id, {"rollup_days": 10})
    set_retention(hub, ada, other.id, {"rollup_days": 30})
    for days in (5, 20, 40):
        make_records(hub, item, destination_id, days=days)
        make_rollup(hub, other, 1, hour=now() - timedelta(days=days))
    do_round(hub)
    assert counts(hub)["delivery_rollups"] == 2
    assert counts(hub)["hourly_rollups"] == 1 + 2


def test_what_was_cleaned_is_not_looked_at_again(hub: Hub, item: Integration) -> None:
    fill(hub, item, count=30, size=100, days=40)
    do_round(hub, batch=10)
    with hub.database.write() as session:
        row = session.exec(select(WebhookEvent).order_by(WebhookEvent.id)).first()
        row.payload, row.payload_removed_at = b"put back by hand", None
    _later(hub)
    assert with_payload(hub) == {row.id}


@pytest.mark.parametrize("batch", [3, 500])
def test_a_batch_changes_few_rows(hub: Hub, item: Integration, batch: int) -> None:
    fill(hub, item, count=20, size=100, days=500)
    work = RetentionWork(hub, batch=batch)
    before = sum(counts(hub).values())
    while work.step():
        after = sum(counts(hub).values())
        assert before - after <= batch
        before = after
    assert counts(hub)["webhook_events"] == 0


def test_an_event_with_many_attempts_goes_in_several_batches(
    hub: Hub, item: Integration, destination_id: str
) -> None:
    event_id = make_old_event(hub, item, 500)
    make_delivery_row(hub, event_id, destination_id, attempts=25)
    work = RetentionWork(hub, batch=10)
    seen = [counts(hub)["delivery_attempts"]]
    while work.step():
        seen.append(counts(hub)["delivery_attempts"])
    assert max(a - b for a, b in pairwise(seen)) <= 10
    assert set(counts(hub).values()) == {0}


def test_large_payloads_make_smaller_batches(hub: Hub, item: Integration) -> None:
    fill(hub, item, count=8, size=1_000_000, days=40)
    work = RetentionWork(hub)
    left = [8]
    while work.step():
        left.append(len(with_payload(hub)))
    assert max(a - b for a, b in pairwise(left)) <= 5
    assert left[-1] == 0


def test_another_worker_does_nothing_meanwhile(hub: Hub, item: Integration) -> None:
    fill(hub, item, count=10, size=100, days=40)
    first, second = RetentionWork(hub, batch=2), RetentionWork(hub, batch=2)
    for _ in range(3):
        assert first.step()
    left = with_payload(hub)
    assert 0 < len(left) < 10
    assert not second.step()
    assert with_payload(hub) == left
    while first.step():
        pass
    with hub.database.read() as session:
        assert len(session.exec(select(RetentionRun)).all()) == 1


def test_a_worker_that_died_leaves_the_round_to_another(hub: Hub, item: Integration) -> None:
    fill(hub, item, count=10, size=100, days=40)
    dead = RetentionWork(hub, batch=2)
    for _ in range(3):
        dead.step()
    with shifted(timedelta(minutes=2)):
        do_round(hub, batch=2)
    assert with_payload(hub) == set()
    run = _last_run(hub)
    assert run.removed == {"payloads": 10}


def test_a_delivery_that_is_being_made_keeps_its_payload(postgresql_hub: Hub) -> None:
    hub, ada = postgresql_hub, make_user(postgresql_hub)
    destination_id = make_destination_row(hub, ada)
    event_id = make_old_event(hub, make_integration(hub, ada), 500)
    template_id = make_delivery_row(hub, event_id, destination_id, attempts=0)
    with hub.database.write() as session:
        row = session.get_one(Delivery, template_id)
        new = {**row.model_dump(), "id": new_id("dlv"), "status": "pending"}
        session.add(Delivery(**new))
        session.flush()
        do_round(hub)
    assert with_payload(hub) == {event_id}
    _later(hub)
    assert with_payload(hub) == {event_id}
    assert counts(hub)["deliveries"] == 2


def test_what_was_removed_is_counted_in_bytes_on_postgresql(postgresql_hub: Hub) -> None:
    hub = postgresql_hub
    fill(hub, make_integration(hub, make_user(hub)), count=10, size=2_000, days=40)
    do_round(hub)
    assert _last_run(hub).bytes_freed == 20_000


def test_a_batch_that_fails_leaves_rows_and_progress_as_they_were(
    hub: Hub, item: Integration
) -> None:
    fill(hub, item, count=10, size=100, days=40)
    work = RetentionWork(hub, batch=4)
    work.step()
    work.step()
    left = with_payload(hub)

    def _fail(_connection: Connection) -> None:
        raise ConnectionAbortedError

    event.listen(hub.database.engine, "commit", _fail)
    with pytest.raises(ConnectionAbortedError):
        work.step()
    event.remove(hub.database.engine, "commit", _fail)
    assert with_payload(hub) == left
    while work.step():
        pass
    assert with_payload(hub) == set()
    assert _last_run(hub).removed == {"payloads": 10}


def test_a_round_begins_once_an_hour(hub: Hub, item: Integration) -> None:
    work = RetentionWork(hub)
    while work.step():
        pass
    make_old_event(hub, item, 40)
    with shifted(timedelta(minutes=50)):
        assert not work.step()
        assert len(with_payload(hub)) == 1
    with shifted(timedelta(minutes=61)):
        while work.step():
            pass
    assert with_payload(hub) == set()


def test_an_idle_call_does_not_ask_the_database(hub: Hub) -> None:
    work = RetentionWork(hub)
    while work.step():
        pass
    asked: list[object] = []
    listener: Callable[..., None] = lambda *_: asked.append(1)  # noqa: E731
    event.listen(hub.database.engine, "begin", listener)
    assert not work.step()
    event.remove(hub.database.engine, "begin", listener)
    assert not asked


def test_the_ages_of_an_integration_are_kept_and_audited(
    hub: Hub, ada: Actor, item: Integration
) -> None:
    plan = set_retention(hub, ada, item.id, {"payload_days": 7, "index_days": None})
    assert plan == get_retention(hub, ada, item.id)
    assert plan.own == {"payload_days": 7}
    assert (plan.ages.payload_days, plan.ages.index_days) == (7, 90)
    with hub.database.read() as session:
        entries = session.exec(select(AuditEntry).where(AuditEntry.object_id == item.id)).all()
    assert entries[-1].action == "integration.retention_set"
    changed = {"payload_days": {"before": "30", "after": "7"}}
    assert entries[-1].details == {"name": item.name, "changes": changed}


@pytest.mark.parametrize(
    ("ages", "field"),
    [
        ({"payload_days": 0}, "payload_days"),
        ({"rollup_days": 3651}, "rollup_days"),
        ({"index_days": 1.5}, "index_days"),
        ({"attempt_days": True}, "attempt_days"),
        ({"event_days": 20}, "payload_days"),
        ({"payload_days": 500}, "payload_days"),
        ({"index_days": 401}, "index_days"),
        ({"log_days": 3}, "log_days"),
    ],
)
def test_ages_that_make_no_sense_are_refused(
    hub: Hub, ada: Actor, item: Integration, ages: dict[str, int], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        set_retention(hub, ada, item.id, ages)
    assert refused.value.field == field
    assert get_retention(hub, ada, item.id).own == {}


def test_the_projection_follows_rate_size_and_age(hub: Hub, ada: Actor, item: Integration) -> None:
    fill(hub, item, count=10, size=2_000, days=9)
    for days in range(10):
        make_rollup(hub, item, 100, hour=now() - timedelta(days=days, hours=1))
    holding = get_retention(hub, ada, item.id).holding
    assert holding.held_bytes == pytest.approx(10 * 100 * 2_000, rel=0.01)
    assert holding.projected_bytes == pytest.approx(30 * 100 * 2_000, rel=0.01)
    set_retention(hub, ada, item.id, {"payload_days": 5})
    (shorter,) = project(hub, ada).holdings
    assert shorter.projected_bytes == pytest.approx(5 * 100 * 2_000, rel=0.01)
    assert shorter.held_bytes == shorter.projected_bytes


def test_the_plan_tells_of_events_that_are_still_needed_and_the_last_round(
    hub: Hub, ada: Actor, item: Integration, destination_id: str
) -> None:
    assert get_retention(hub, ada, item.id).last_round is None
    make_delivery_row(hub, make_old_event(hub, item, 40), destination_id, status="pending")
    done = RetentionWork(hub).run_now()
    plan = get_retention(hub, ada, item.id)
    assert plan.still_needed == 1
    assert plan.last_round is not None
    assert plan.last_round.finished_at == done.finished_at
    assert project(hub, ada).last_round == plan.last_round


def test_states_of_messages_go_with_the_age_of_events(
    hub: Hub, ada: Actor, item: Integration
) -> None:
    other = make_integration(hub, ada, "Kept longer")
    set_retention(hub, ada, other.id, {"event_days": 3000})
    for days in (1, 399, 401):
        report = StateReport(f"SM{days}", "message", "sent", 4)
        with shifted(-timedelta(days=days)), hub.database.write() as session:
            owned = [OwnedReport(each.id, ada.id, report, now()) for each in (item, other)]
            advance(session, owned)
    do_round(hub)
    with hub.database.read() as session:
        kept = {(row.integration_id, row.sid) for row in session.exec(select(MessageState))}
    whole = {(other.id, f"SM{days}") for days in (1, 399, 401)}
    assert kept == whole | {(item.id, "SM1"), (item.id, "SM399")}
