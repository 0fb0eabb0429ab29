"""Durable storage of drafts, the same on both engines."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlmodel import col, func, select

from lib.clock import now
from lib.database import sqlite_path
from lib.errors import StorageUnavailable
from lib.hub import Hub
from lib.ids import new_id
from lib.intake.drafts import EventDraft, RejectionDraft, Stored
from lib.intake.sinks import DraftSink, open_sink
from lib.models import HourlyRollup, IntegrationConfig, RejectedRequest, WebhookEvent
from tests.factories import make_integration_row, make_user
from tests.rivals import LOCK, rival_of, wait_until_blocked_by


@pytest.fixture
def integration(hub: Hub) -> IntegrationConfig:
    return make_integration_row(hub, make_user(hub), service_name="make")


@pytest.fixture
def sink(hub: Hub) -> Iterator[DraftSink]:
    sink = open_sink(hub.database)
    yield sink
    sink.close()


def event(integration: IntegrationConfig, key: str, **changes: object) -> EventDraft:
    draft = EventDraft(
        id=new_id("evt"),
        user_id=integration.user_id,
        integration_id=integration.id,
        service_name="make",
        event_type="contact.created",
        dedupe_key=key,
        external_id=None,
        method="POST",
        content_type="application/json",
        payload=b'{"n": "\xc3\xb1\xe2\x82\xac"}',
        headers="{}",
        source_ip="192.0.2.1",
        verification="{}",
        response_code=200,
        created_at=now(),
    )
    return draft._replace(**changes)  # type: ignore[arg-type]


def rejection(integration: IntegrationConfig, not_kept: int = 0) -> RejectionDraft:
    return RejectionDraft(
        id=new_id("rej"),
        user_id=integration.user_id,
        integration_id=integration.id,
        service_name="make",
        reason="bad_secret",
        message="The secret is another one.",
        facts=json.dumps({"header": "X-Hub-Secret"}),
        method="POST",
        content_type="application/json",
        headers="{}",
        body=b"\x00\xff",
        body_bytes=2,
        source_ip="192.0.2.1",
        response_code=401,
        not_kept=not_kept,
        created_at=now(),
    )


def count_events(hub: Hub) -> int:
    with hub.database.read() as session:
        return session.exec(select(func.count()).select_from(WebhookEvent)).one()


def test_stored_row_reads_back_as_it_was_sent(
    hub: Hub, sink: DraftSink, integration: IntegrationConfig
) -> None:
    draft = event(integration, "a", external_id="SM1")
    assert sink.write([draft]) == [Stored(draft.id, False)]
    with hub.database.read() as session:
        row = session.get_one(WebhookEvent, draft.id)
    assert {name: getattr(row, name) for name in draft._fields} == draft._asdict()
    assert (row.status, row.duplicates, row.attempts) == ("pending", 0, 0)
    assert row.due_at == draft.created_at


def test_times_sort_with_those_written_by_the_models(
    hub: Hub, sink: DraftSink, integration: IntegrationConfig
) -> None:
    before = now()
    sink.write([event(integration, "a")])
    with hub.database.read() as session:
        found = session.exec(
            select(WebhookEvent).where(
                col(WebhookEvent.created_at) >= before, col(WebhookEvent.created_at) <= now()
            )
        ).all()
    assert len(found) == 1


def test_second_posting_returns_the_first_id_and_is_counted(
    hub: Hub, sink: DraftSink, integration: IntegrationConfig
) -> None:
    first, again = event(integration, "a"), event(integration, "a")
    sink.write([first])
    assert sink.write([again]) == [Stored(first.id, True)]
    assert count_events(hub) == 1
    with hub.database.read() as session:
        assert session.get_one(WebhookEvent, first.id).duplicates == 1


def test_duplicates_within_one_batch(
    hub: Hub, sink: DraftSink, integration: IntegrationConfig
) -> None:
    drafts = [event(integration, key) for key in ("a", "b", "a", "c", "b")]
    outcomes = sink.write(drafts)
    assert [isinstance(outcome, Stored) for outcome in outcomes] == [True] * 5
    assert outcomes[2] == Stored(drafts[0].id, True)
    assert outcomes[4] == Stored(drafts[1].id, True)
    assert count_events(hub) == 3


def test_same_key_of_another_integration_is_another_event(hub: Hub, sink: DraftSink) -> None:
    user = make_user(hub)
    one = make_integration_row(hub, user, service_name="make")
    other = make_integration_row(hub, user, service_name="make")
    sink.write([event(one, "a"), event(other, "a")])
    assert count_events(hub) == 2


@pytest.mark.parametrize("size", [1, 2, 63, 64, 65, 200])
def test_every_batch_size_is_stored_whole(
    hub: Hub, sink: DraftSink, integration: IntegrationConfig, size: int
) -> None:
    drafts = [event(integration, f"k{number}") for number in range(size)]
    assert sink.write(drafts) == [Stored(draft.id, False) for draft in drafts]
    assert count_events(hub) == size


def test_bad_row_fails_alone(hub: Hub, sink: DraftSink, integration: IntegrationConfig) -> None:
    orphan = event(integration, "b", integration_id="int_gone")
    outcomes = sink.write([event(integration, "a"), orphan, event(integration, "c")])
    assert [type(outcome) for outcome in outcomes] == [Stored, StorageUnavailable, Stored]
    assert count_events(hub) == 2


def test_concurrent_receivers_store_one_event_once(
    hub: Hub, integration: IntegrationConfig
) -> None:
    drafts = [[event(integration, f"k{n}") for n in range(50)] for _ in range(2)]
    drafts[1].reverse()
    sinks = [open_sink(hub.database) for _ in drafts]
    start = threading.Barrier(2)

    def write(number: int) -> list[object]:
        start.wait()
        return list(sinks[number].write(drafts[number]))

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(write, range(2))
    for sink in sinks:
        sink.close()
    ids = {(outcome.id) for outcome in one + other if isinstance(outcome, Stored)}
    duplicates = [outcome for outcome in one + other if getattr(outcome, "is_duplicate", False)]
    assert len(ids) == 50
    assert len(duplicates) == 50
    assert count_events(hub) == 50


def test_rejection_is_kept_and_counted_with_those_that_were_not(
    hub: Hub, sink: DraftSink, integration: IntegrationConfig
) -> None:
    draft = rejection(integration, not_kept=4)
    assert sink.write([draft, rejection(integration)]) != []
    with hub.database.read() as session:
        row = session.get_one(RejectedRequest, draft.id)
        rollup = session.exec(select(HourlyRollup)).one()
    assert {name: getattr(row, name) for name in draft._fields} == draft._asdict()
    assert (rollup.outcome, rollup.event_type, rollup.count) == ("rejected", "bad_secret", 6)


def test_rejections_are_bounded_per_integration(
    hub: Hub, sink: DraftSink, integration: IntegrationConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("lib.intake.sink_sqlite", "lib.intake.sink_postgresql"):
        monkeypatch.setattr(f"{module}.MOST_KEPT", 3)
    drafts = [rejection(integration) for _ in range(5)]
    for draft in drafts:
        sink.write([draft])
    with hub.database.read() as session:
        kept = set(session.exec(select(col(RejectedRequest.id))))
    assert kept == {draft.id for draft in drafts[-3:]}


def test_locked_sqlite_is_unavailable_and_works_again(
    sqlite_hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.intake.sink_sqlite._BUSY_MILLISECONDS", 20)
    integration = make_integration_row(sqlite_hub, make_user(sqlite_hub), service_name="make")
    sink = open_sink(sqlite_hub.database)
    with sqlite_hub.database.write(), pytest.raises(StorageUnavailable, match="locked"):
        sink.write([event(integration, "a")])
    assert isinstance(sink.write([event(integration, "a")])[0], Stored)
    sink.close()


def test_removed_sqlite_file_is_noticed_although_it_is_open(sqlite_hub: Hub) -> None:
    integration = make_integration_row(sqlite_hub, make_user(sqlite_hub), service_name="make")
    sink = open_sink(sqlite_hub.database)
    sink.write([event(integration, "a")])
    path = sqlite_path(sqlite_hub.database.url)
    aside = path.rename(path.with_suffix(".aside"))
    with pytest.raises(StorageUnavailable, match="gone"):
        sink.write([event(integration, "b")])
    assert not path.exists()
    aside.rename(path)
    assert isinstance(sink.write([event(integration, "b")])[0], Stored)
    sink.close()


def test_read_only_sqlite_is_unavailable(sqlite_hub: Hub, tmp_path: Path) -> None:
    integration = make_integration_row(sqlite_hub, make_user(sqlite_hub), service_name="make")
    sink = open_sink(sqlite_hub.database)
    sink.write([event(integration, "a")])
    connection = sink._connection  # type: ignore[attr-defined]  # the only seam to this state for root
    connection.execute("PRAGMA query_only=ON")
    with pytest.raises(StorageUnavailable, match="readonly"):
        sink.write([event(integration, "b")])
    sink.close()


def test_killed_postgresql_connection_is_replaced(
    hub: Hub, sink: DraftSink, integration: IntegrationConfig
) -> None:
    if hub.database.is_sqlite:
        return
    sink.write([event(integration, "a")])
    with hub.database.write() as session:
        session.connection().exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
    draft = event(integration, "b")
    assert sink.write([draft]) == [Stored(draft.id, False)]
    assert count_events(hub) == 2


COUNT = "UPDATE hourly_rollups SET count = count + 1 WHERE integration_id = %s AND event_type = %s"


def test_the_victim_of_a_deadlock_is_stored_after_all(
    hub: Hub, sink: DraftSink, integration: IntegrationConfig
) -> None:
    if hub.database.is_sqlite:
        return
    firsts = [event(integration, key) for key in ("a", "b")]
    sink.write(firsts)
    batch = [event(integration, "a"), event(integration, "b"), event(integration, "c")]
    with ThreadPoolExecutor(1) as pool, rival_of(hub) as rival:
        rival.execute(LOCK, [firsts[1].id])
        stored = pool.submit(sink.write, batch)
        wait_until_blocked_by(rival, stored)
        rival.execute(LOCK, [firsts[0].id])
        rival.commit()
        outcomes = stored.result(20)
    assert outcomes == [
        Stored(firsts[0].id, True),
        Stored(firsts[1].id, True),
        Stored(batch[2].id, False),
    ]
    with hub.database.read() as session:
        counts = [session.get_one(WebhookEvent, draft.id).duplicates for draft in firsts]
    assert counts == [1, 1]


def test_rejections_are_counted_in_one_order_however_they_arrive(hub: Hub, sink: DraftSink) -> None:
    if hub.database.is_sqlite:
        return
    owner = make_user(hub)
    rows = [make_integration_row(hub, owner, service_name="make") for _ in range(2)]
    first, second = sorted(rows, key=lambda row: row.id)
    drafts = [
        rejection(row)._replace(reason=reason) for row in (first, second) for reason in ("a", "b")
    ]
    sink.write(drafts)
    again = [draft._replace(id=new_id("rej")) for draft in reversed(drafts)]
    with ThreadPoolExecutor(1) as pool, rival_of(hub) as rival:
        rival.execute(COUNT, [first.id, "a"])
        stored = pool.submit(sink.write, again)
        wait_until_blocked_by(rival, stored)
        # Nothing that comes after is locked by whoever waits for what comes first.
        rival.execute("SET lock_timeout = 100")
        for draft in drafts[1:]:
            rival.execute(COUNT, [draft.integration_id, draft.reason])
        rival.commit()
        assert stored.result(20) == [Stored(draft.id, False) for draft in again]
    with hub.database.read() as session:
        assert set(session.exec(select(HourlyRollup.count))) == {3}


def test_duplicates_are_noted_by_id_whatever_their_keys(
    hub: Hub, sink: DraftSink, integration: IntegrationConfig
) -> None:
    if hub.database.is_sqlite:
        return
    firsts = [event(integration, key) for key in ("b", "a")]
    sink.write(firsts)
    with ThreadPoolExecutor(1) as pool, rival_of(hub) as rival:
        rival.execute(LOCK, [firsts[0].id])
        stored = pool.submit(sink.write, [event(integration, "a"), event(integration, "b")])
        wait_until_blocked_by(rival, stored)
        rival.execute("SET lock_timeout = 100")
        rival.execute(LOCK, [firsts[1].id])
        rival.commit()
        assert stored.result(20) == [Stored(firsts[1].id, True), Stored(firsts[0].id, True)]
