"""Pending events become findable and counted, each exactly once, whatever dies."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import col, func, select

from lib.access import Actor
from lib.clock import now, shifted
from lib.hub import Hub
from lib.ids import new_id
from lib.intake.drafts import EventDraft
from lib.intake.sinks import open_sink
from lib.models import EventKey, HourlyRollup, IntegrationConfig, SearchDocument, WebhookEvent
from lib.outgoing.envelope import EventFacts
from lib.processing import batch as processing
from lib.processing.batch import process_batch
from tests.factories import make_integration_row, make_user
from tests.rivals import LOCK, rival_of, wait_until_blocked_by


@pytest.fixture
def member(hub: Hub) -> Actor:
    return make_user(hub)


@pytest.fixture
def integration(hub: Hub, member: Actor) -> IntegrationConfig:
    return make_integration_row(hub, member, service_name="make")


def put(hub: Hub, integration: IntegrationConfig, count: int, payload: bytes = b"") -> list[str]:
    body = payload or json.dumps({"email": "Ada@Example.com", "note": "evening class"}).encode()
    drafts = [
        EventDraft(
            id=new_id("evt"),
            user_id=integration.user_id,
            integration_id=integration.id,
            service_name="make",
            event_type="form.submitted",
            dedupe_key=new_id("key"),
            external_id=f"ext{number}",
            method="POST",
            content_type="application/json",
            payload=body,
            headers="{}",
            source_ip="192.0.2.1",
            verification="{}",
            response_code=200,
            created_at=now(),
        )
        for number in range(count)
    ]
    sink = open_sink(hub.database)
    sink.write(drafts)
    sink.close()
    return [draft.id for draft in drafts]


def counted(hub: Hub) -> int:
    with hub.database.read() as session:
        return session.exec(select(func.coalesce(func.sum(HourlyRollup.count), 0))).one()


def statuses(hub: Hub) -> set[str]:
    with hub.database.read() as session:
        return set(session.exec(select(col(WebhookEvent.status))))


def test_batch_is_counted_found_and_done(hub: Hub, integration: IntegrationConfig) -> None:
    ids = put(hub, integration, 3)
    assert process_batch(hub) == 3
    assert process_batch(hub) == 0
    assert (statuses(hub), counted(hub)) == ({"success"}, 3)
    with hub.database.read() as session:
        keys = set(session.exec(select(EventKey.kind, EventKey.value)).all())
        documents = session.exec(select(SearchDocument)).all()
    assert ("email", "ada@example.com") in keys
    assert ("id", "ext0") in keys
    assert {document.event_id for document in documents} == set(ids)
    assert "evening class" in documents[0].text


def test_several_workers_count_each_event_once(hub: Hub, integration: IntegrationConfig) -> None:
    put(hub, integration, 450)
    start = threading.Barrier(3)

    def work(_number: int) -> int:
        start.wait()
        done = 0
        while taken := process_batch(hub):
            done += taken
        return done

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(work, range(3))) == 450
    assert (statuses(hub), counted(hub)) == ({"success"}, 450)


def test_worker_that_died_with_a_lease_is_followed_by_another(
    hub: Hub, integration: IntegrationConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(hub, integration, 2)

    def die(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(processing, "derive", die)
        with pytest.raises(KeyboardInterrupt):
            process_batch(hub)
    assert process_batch(hub) == 0, "the dead worker's lease still holds"
    with shifted(processing.LEASE + timedelta(seconds=1)):
        assert process_batch(hub) == 2
    assert counted(hub) == 2


def test_worker_that_lost_its_lease_counts_nothing(
    hub: Hub, integration: IntegrationConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(hub, integration, 1)
    derive = processing.derive

    def outlive_the_lease(*arguments: str) -> object:
        with monkeypatch.context() as patch:
            patch.setattr(processing, "derive", derive)
            with shifted(processing.LEASE + timedelta(seconds=1)):
                assert process_batch(hub) == 1
        return derive(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(processing, "derive", outlive_the_lease)
    process_batch(hub)
    assert (statuses(hub), counted(hub)) == ({"success"}, 1)


def test_failure_between_claim_and_finish_leaves_nothing_half_done(
    hub: Hub, integration: IntegrationConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(hub, integration, 2)

    def fail(*_arguments: object) -> None:
        raise OperationalError("", {}, Exception("away"))

    with monkeypatch.context() as patch:
        patch.setattr(processing, "_count", fail)
        with pytest.raises(OperationalError):
            process_batch(hub)
    assert (statuses(hub), counted(hub)) == ({"pending"}, 0)
    with shifted(processing.LEASE + timedelta(seconds=1)):
        process_batch(hub)
    assert (statuses(hub), counted(hub)) == ({"success"}, 2)


def test_failed_first_processing_is_tried_again_and_ends_in_failed(
    hub: Hub, integration: IntegrationConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(hub, integration, 1)

    def trip(*_arguments: object) -> None:
        raise ValueError("an unforeseen shape")

    with monkeypatch.context() as patch:
        patch.setattr(processing, "derive", trip)
        for attempt in range(processing.MOST_ATTEMPTS):
            assert statuses(hub) == {"pending"}
            with shifted(timedelta(hours=attempt)):
                assert process_batch(hub) == 1
    assert (statuses(hub), counted(hub)) == ({"failed"}, 0)
    with hub.database.read() as session:
        error = session.exec(select(col(WebhookEvent.error))).one()
    assert error is not None
    assert "ValueError" in error


def test_worker_waits_for_a_receiver_without_holding_what_that_wants_next(
    hub: Hub, integration: IntegrationConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    if hub.database.is_sqlite:
        return
    ids = sorted(put(hub, integration, 3))
    claimed, go_on = threading.Event(), threading.Event()
    derive = processing.derive

    def derive_late(facts: EventFacts) -> object:
        claimed.set()
        assert go_on.wait(20)
        if facts.id == ids[0]:
            raise ValueError("an unforeseen shape")
        return derive(facts)

    monkeypatch.setattr(processing, "derive", derive_late)
    with ThreadPoolExecutor(1) as pool, rival_of(hub) as rival:
        for event_id in reversed(ids):
            # What is read from front to back is not in the order of the ids now.
            rival.execute("UPDATE webhook_events SET attempts = 0 WHERE id = %s", [event_id])
        rival.commit()
        done = pool.submit(process_batch, hub)
        assert claimed.wait(20)
        rival.execute(LOCK, [ids[0]])
        go_on.set()
        wait_until_blocked_by(rival, done)
        rival.execute("SET lock_timeout = 100")
        for event_id in ids[1:]:
            rival.execute(LOCK, [event_id])
        rival.commit()
        assert done.result(20) == 3
    assert (statuses(hub), counted(hub)) == ({"pending", "success"}, 2)


def test_payload_that_one_engine_would_refuse_is_processed(
    hub: Hub, integration: IntegrationConfig
) -> None:
    put(hub, integration, 1, payload=b'{"a": "x\\u0000y", "b": "\\ud800", "n": 1e400}')
    put(hub, integration, 1, payload=b"\xff\xfe not json")
    assert process_batch(hub) == 2
    assert statuses(hub) == {"success"}
