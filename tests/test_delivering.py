"""Deliveries go out once, come back when they fail, and never hold each other up."""

import re
import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import Select, Update, update

from lib.clock import now
from lib.connections.integrations import Integration
from lib.hub import Hub
from lib.id_lists import listed
from lib.models import Delivery, Destination, DestinationState
from lib.outgoing import claim_statements, schedule, settlement
from lib.outgoing.attempt import not_sent
from lib.outgoing.claims import Claimed, Lease, claim, release_expired
from lib.outgoing.exchange import Exchange, Fault, Timings
from lib.outgoing.settlement import Finished, settle
from lib.providers.targets import ErrorClass, Judgement
from tests.delivering import (
    TIMEOUT,
    ScriptedSender,
    answer,
    attempts_of,
    deliver,
    get_delivery,
    make_destination,
    make_due,
    owner_of,
    queue,
    state_of,
    waits,
)
from tests.event_factories import make_event, make_integration
from tests.factories import make_user

A, B = "https://a.example.com/in", "https://b.example.com/in"


def fault(error_class: ErrorClass) -> Exchange:
    return Exchange(Timings(3.0), fault=Fault(error_class, "No way. Look at it.", was_sent=False))


def unblock(hub: Hub) -> None:
    """Let the pauses of every destination be over, as time would."""
    with hub.database.write() as session:
        session.execute(update(DestinationState).values(blocked_until=now()))


def claim_all(hub: Hub, name: str, capacity: int = 100) -> Sequence[Claimed]:
    moment = now()
    lease = Lease(name, moment, moment + timedelta(minutes=1))
    with hub.database.write() as session:
        return claim(session, lease, capacity=capacity).claimed


def cut_every_connection(hub: Hub) -> None:
    address = hub.database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def is_settled(hub: Hub, delivery_id: str, attempts: int = 1) -> bool:
    return len(attempts_of(hub, delivery_id)) >= attempts


def test_an_answer_that_asks_for_an_impossible_wait_ends_no_worker(hub: Hub) -> None:
    owner = make_user(hub)
    item = make_integration(hub, owner)
    destination = make_destination(hub, owner, A)
    (delivery_id,) = queue(hub, item, make_event(hub, item), destination=destination)
    busy = answer(503, retry_after="1 Jan 99999999999999999999 00:00:00 GMT")
    deliver(hub, ScriptedSender({A: [busy]}), until=lambda: is_settled(hub, delivery_id))
    row = get_delivery(hub, delivery_id)
    assert (row.status, row.attempts) == ("retrying", 1)


def test_a_message_with_signs_that_cannot_be_stored_is_cleaned(hub: Hub) -> None:
    owner = make_user(hub)
    item = make_integration(hub, owner)
    destination = make_destination(hub, owner, A)
    (delivery_id,) = queue(hub, item, make_event(hub, item), destination=destination)
    odd = Exchange(Timings(1.0), fault=Fault("connect", "No\x00way\ud800.", was_sent=True))
    deliver(hub, ScriptedSender({A: [odd]}), until=lambda: is_settled(hub, delivery_id))
    assert get_delivery(hub, delivery_id).last_error == "No way ."
    assert attempts_of(hub, delivery_id)[0].error == "No way ."


def test_an_attempt_that_cannot_be_recorded_holds_up_no_other(hub: Hub) -> None:
    owner = make_user(hub)
    item = make_integration(hub, owner)
    odd_one, other = make_destination(hub, owner, A), make_destination(hub, owner, B)
    event_id = make_event(hub, item)
    (odd_id,) = queue(hub, item, event_id, destination=odd_one)
    other_ids = queue(hub, item, event_id, destination=other, count=20)
    # PostgreSQL's integers end before; SQLite keeps it.
    sender = ScriptedSender({A: [answer(2**40)]})
    deliver(hub, sender, until=lambda: all(is_settled(hub, each) for each in [odd_id, *other_ids]))
    assert {get_delivery(hub, each).status for each in other_ids} == {"delivered"}
    row = get_delivery(hub, odd_id)
    assert (row.status, row.attempts, row.lease_id) == ("retrying", 1, None)
    assert (sender.count(A), sender.count(B)) == (1, 20)


def test_what_takes_longer_than_its_lease_is_still_held(hub: Hub) -> None:
    owner = make_user(hub)
    item = make_integration(hub, owner)
    destination = make_destination(hub, owner, A)
    (delivery_id,) = queue(hub, item, make_event(hub, item), destination=destination)
    short = Hub(
        hub.settings.model_copy(update={"delivery_lease_seconds": 2}), hub.database, hub.vault
    )
    sender = ScriptedSender(delay=lambda _url: 3.5)
    released = []

    def is_over() -> bool:
        with hub.database.write() as session:
            released.append(release_expired(session, now()))
        return is_settled(hub, delivery_id)

    deliver(short, sender, until=is_over)
    assert not any(released)
    assert sender.count(A) == 1
    row = get_delivery(hub, delivery_id)
    assert (row.status, row.attempts) == ("delivered", 1)


def test_success_is_recorded_with_its_attempt(hub: Hub) -> None:
    owner = make_user(hub)
    item = make_integration(hub, owner)
    destination = make_destination(hub, owner, A)
    (delivery_id,) = queue(hub, item, make_event(hub, item), destination=destination)
    sender = ScriptedSender()
    deliver(hub, sender, until=lambda: is_settled(hub, delivery_id))
    row = get_delivery(hub, delivery_id)
    assert (row.status, row.attempts, row.response_status) == ("delivered", 1, 200)
    assert row.next_attempt_at is None
    assert row.lease_id is None
    assert row.finished_at is not None
    (attempt,) = attempts_of(hub, delivery_id)
    assert (attempt.number, attempt.outcome) == (1, "delivered")
    assert attempt.response_body == b"thanks"
    assert sender.sent[0].headers["webhook-id"] == delivery_id


def queue_one(hub: Hub, item: Integration, url: str = A, **changes: object) -> tuple[str, str]:
    """Queue one delivery to a destination of its own; return both ids."""
    owner = owner_of(item)
    destination = make_destination(hub, owner, url, **changes)
    (delivery_id,) = queue(hub, item, make_event(hub, item), destination=destination)
    return delivery_id, destination.id


@pytest.mark.parametrize(
    "exchange",
    [
        answer(500),
        answer(503),
        answer(408),
        answer(425),
        answer(429),
        TIMEOUT,
        fault("dns"),
        fault("tls"),
        fault("connect"),
    ],
)
def test_passing_trouble_is_tried_again_and_never_dead_at_once(
    sqlite_hub: Hub, exchange: Exchange
) -> None:
    item = make_integration(sqlite_hub, make_user(sqlite_hub))
    delivery_id, _ = queue_one(sqlite_hub, item)
    sender = ScriptedSender({A: [exchange]})
    begun = now()
    deliver(sqlite_hub, sender, until=lambda: is_settled(sqlite_hub, delivery_id))
    row = get_delivery(sqlite_hub, delivery_id)
    assert (row.status, row.attempts) == ("retrying", 1)
    assert row.last_error
    assert 4 <= waits(row, begun).total_seconds() <= 8


@pytest.mark.parametrize("status", [301, 400, 401, 404, 422])
def test_refusal_is_dead_at_once(sqlite_hub: Hub, status: int) -> None:
    item = make_integration(sqlite_hub, make_user(sqlite_hub))
    delivery_id, _ = queue_one(sqlite_hub, item)
    sender = ScriptedSender({A: [answer(status, b"no")]})
    deliver(sqlite_hub, sender, until=lambda: is_settled(sqlite_hub, delivery_id))
    row = get_delivery(sqlite_hub, delivery_id)
    assert (row.status, row.response_status, row.next_attempt_at) == ("dead", status, None)
    assert row.finished_at is not None


def test_delivery_is_dead_after_its_last_attempt(hub: Hub) -> None:
    item = make_integration(hub, make_user(hub))
    delivery_id, _ = queue_one(hub, item)
    sender = ScriptedSender({A: [answer(500)] * 20})
    for number in range(1, schedule.MOST_ATTEMPTS + 1):
        if number > 1:
            make_due(hub, delivery_id)
            unblock(hub)
        deliver(hub, sender, until=lambda number=number: is_settled(hub, delivery_id, number))
    row = get_delivery(hub, delivery_id)
    assert (row.status, row.attempts, row.error_class) == ("dead", 10, "http_5xx")
    outcomes = [attempt.outcome for attempt in attempts_of(hub, delivery_id)]
    assert outcomes == ["retry"] * 9 + ["dead"]
    assert row.issue_id is not None


def test_retry_after_holds_back_the_whole_destination(hub: Hub) -> None:
    item = make_integration(hub, make_user(hub))
    destination = make_destination(hub, owner_of(item), A, config_data={"concurrency": 1})
    first, second = queue(hub, item, make_event(hub, item), destination=destination, count=2)
    sender = ScriptedSender({A: [answer(429, retry_after="120")]})
    begun = now()
    deliver(hub, sender, until=lambda: is_settled(hub, first))
    assert waits(get_delivery(hub, first), begun) >= timedelta(seconds=119)
    assert get_delivery(hub, second).status == "pending"
    blocked_until = state_of(hub, destination).blocked_until
    assert blocked_until is not None
    assert blocked_until - begun >= timedelta(seconds=119)


def test_410_disables_the_destination_and_keeps_what_waits(hub: Hub) -> None:
    item = make_integration(hub, make_user(hub))
    destination = make_destination(hub, owner_of(item), A, config_data={"concurrency": 1})
    first, second = queue(hub, item, make_event(hub, item), destination=destination, count=2)
    sender = ScriptedSender({A: [answer(410)]})
    deliver(hub, sender, until=lambda: is_settled(hub, first))
    with hub.database.read() as session:
        row = session.get_one(Destination, destination.id)
    assert row.disabled_at is not None
    assert "410" in (row.disabled_reason or "")
    assert get_delivery(hub, first).status == "dead"
    assert get_delivery(hub, second).status == "pending"
    assert sender.count(A) == 1


def test_events_to_paused_destination_are_kept_and_go_out_when_it_resumes(hub: Hub) -> None:
    item = make_integration(hub, make_user(hub))
    paused, paused_destination = queue_one(hub, item, A, is_active=False)
    other, _ = queue_one(hub, item, B)
    sender = ScriptedSender()
    deliver(hub, sender, until=lambda: is_settled(hub, other))
    assert get_delivery(hub, paused).status == "pending"
    with hub.database.write() as session:
        session.get_one(Destination, paused_destination).is_active = True
    deliver(hub, sender, until=lambda: is_settled(hub, paused))
    assert get_delivery(hub, paused).status == "delivered"


def test_hung_destination_does_not_delay_another(hub: Hub) -> None:
    item = make_integration(hub, make_user(hub))
    event_id = make_event(hub, item)
    owner = owner_of(item)
    hung = make_destination(hub, owner, A, config_data={"concurrency": 20})
    queue(hub, item, event_id, destination=hung, count=2_000)
    quick = queue(hub, item, event_id, destination=make_destination(hub, owner, B), count=100)
    sender = ScriptedSender(delay=lambda url: 60.0 if url == A else 0.0)
    deliver(hub, sender, until=lambda: is_settled(hub, quick[-1]))
    assert sender.count(B) == 100
    assert sender.most_running[A] <= 20
    assert all(get_delivery(hub, item_id).status == "delivered" for item_id in quick)


def test_one_a_second_holds_and_delays_nobody_else(hub: Hub) -> None:
    item = make_integration(hub, make_user(hub))
    event_id = make_event(hub, item)
    owner = owner_of(item)
    slow = make_destination(hub, owner, A, config_data={"rate_limit": {"per_second": 1}})
    queue(hub, item, event_id, destination=slow, count=1_000)
    quick = queue(hub, item, event_id, destination=make_destination(hub, owner, B), count=100)
    sender = ScriptedSender()
    begun = now()
    deliver(hub, sender, until=lambda: is_settled(hub, quick[-1]))
    assert sender.count(B) == 100
    assert sender.count(A) <= 1 + (now() - begun).total_seconds()


def test_breaker_opens_lets_one_probe_through_and_closes(hub: Hub) -> None:
    item = make_integration(hub, make_user(hub))
    destination = make_destination(hub, owner_of(item), A, config_data={"concurrency": 10})
    ids = queue(hub, item, make_event(hub, item), destination=destination, count=30)
    sender = ScriptedSender({A: [answer(500)] * 11})
    deliver(hub, sender, until=lambda: state_of(hub, destination).breaker == "open")
    assert sender.count(A) == 10
    unblock(hub)
    deliver(hub, sender, until=lambda: sender.count(A) == 11)
    state = state_of(hub, destination)
    assert (state.breaker, state.times_opened) == ("open", 2)
    unblock(hub)
    deliver(hub, sender, until=lambda: is_settled(hub, ids[-1]))
    state = state_of(hub, destination)
    assert (state.breaker, state.failures_in_row, state.times_opened) == ("closed", 0, 0)


def test_expired_leases_return_and_finished_deliveries_do_not(hub: Hub) -> None:
    item = make_integration(hub, make_user(hub))
    destination = make_destination(hub, owner_of(item))
    event_id = make_event(hub, item)
    held, done = queue(hub, item, event_id, destination=destination, count=2)
    moment = now()
    with hub.database.write() as session:
        row = session.get_one(Delivery, done)
        row.status, row.next_attempt_at, row.finished_at = "delivered", None, moment
    lease = Lease("lea_dead", moment - timedelta(minutes=2), moment - timedelta(minutes=1))
    with hub.database.write() as session:
        session.get_one(Delivery, held).next_attempt_at = moment - timedelta(minutes=3)
    with hub.database.write() as session:
        assert [item.id for item in claim(session, lease, capacity=10).claimed] == [held]
    with hub.database.write() as session:
        assert release_expired(session, moment) == 1
    assert get_delivery(hub, held).status == "pending"
    assert get_delivery(hub, done).status == "delivered"


def test_worker_that_lost_its_lease_changes_nothing(hub: Hub) -> None:
    item = make_integration(hub, make_user(hub))
    delivery_id, _ = queue_one(hub, item)
    lost = claim_all(hub, "lea_lost")
    with hub.database.write() as session:
        release_expired(session, now() + timedelta(hours=1))
        session.get_one(Delivery, delivery_id).next_attempt_at = now() - timedelta(seconds=1)
    claim_all(hub, "lea_new")
    with hub.database.write() as session:
        settle(session, [Finished(lost[0], not_sent(Judgement("dead", "config", "no")))], now())
    row = get_delivery(hub, delivery_id)
    assert (row.status, row.lease_id, row.attempts) == ("sending", "lea_new", 0)
    assert len(attempts_of(hub, delivery_id)) == 1, "the attempt did happen and is told"


def test_two_workers_never_claim_the_same_delivery(hub: Hub) -> None:
    item = make_integration(hub, make_user(hub))
    owner = owner_of(item)
    event_id = make_event(hub, item)
    ids = [
        delivery_id
        for _ in range(4)
        for delivery_id in queue(
            hub, item, event_id, destination=make_destination(hub, owner), count=200
        )
    ]
    claimed: list[str] = []

    def work(number: int) -> None:
        for turn in range(60):
            claimed.extend(row.id for row in claim_all(hub, f"lea_{number}_{turn}", capacity=20))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed))
    # Each destination takes fifty at once, and none of them has ended.
    assert len(claimed) == 200
    assert set(claimed) <= set(ids)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_queue_store_restarted_under_load_is_waited_for(hub: Hub) -> None:
    item = make_integration(hub, make_user(hub))
    destination = make_destination(hub, owner_of(item), A, config_data={"concurrency": 5})
    ids = queue(hub, item, make_event(hub, item), destination=destination, count=200)
    sender = ScriptedSender(delay=lambda _url: 0.01)
    ended: list[bool] = []

    def cut_off_then_wait() -> bool:
        if not ended and sender.count(A) >= 50:
            cut_every_connection(hub)
            ended.append(True)
        return sender.count(A) >= 200 and is_settled(hub, ids[-1])

    deliver(hub, sender, until=cut_off_then_wait)
    assert ended
    assert {get_delivery(hub, delivery_id).status for delivery_id in ids} == {"delivered"}
    # What was under way at the cut is settled once the database is back, not sent again.
    assert sender.count(A) == 200


def statements_of_a_turn() -> list[Select[Any] | Update]:
    statements = [
        value
        for module in (claim_statements, settlement)
        for value in vars(module).values()
        if isinstance(value, (Select, Update))
    ]
    assert len(statements) >= 8
    return statements


def test_no_statement_of_a_turn_reads_a_whole_table(sqlite_hub: Hub) -> None:
    with sqlite_hub.database.read() as session:
        connection = session.connection()
        for statement in statements_of_a_turn():
            text = str(statement.compile(dialect=connection.dialect))
            plan = connection.exec_driver_sql(
                f"EXPLAIN QUERY PLAN {text}", (None,) * text.count("?")
            )
            steps = [row[3] for row in plan]
            assert not [
                step
                for step in steps
                if step.startswith("SCAN") and not re.search("json_each|hops|anon_", step)
            ], (text, steps)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_long_history_makes_no_statement_of_a_turn_read_it(hub: Hub) -> None:
    item = make_integration(hub, make_user(hub))
    destination = make_destination(hub, owner_of(item), A)
    event_id = make_event(hub, item)
    queue(hub, item, event_id, destination=destination, count=5_000)
    with hub.database.write() as session:
        session.execute(update(Delivery).values(status="delivered", next_attempt_at=None))
    queue(hub, item, event_id, destination=destination, count=20)
    given = {
        **listed([destination.id]),
        "destination": destination.id,
        "row_id": "dlv_1",
        "moment": now(),
        "until": now(),
        "count": 20,
        "lease": "lea_1",
    }
    with hub.database.write() as session:
        connection = session.connection()
        connection.exec_driver_sql("ANALYZE")
        for statement in statements_of_a_turn():
            compiled = statement.compile(dialect=connection.dialect)
            plan = connection.exec_driver_sql(
                f"EXPLAIN {compiled}",
                {name: given.get(name, value) for name, value in compiled.params.items()},
            )
            steps = "\n".join(row[0] for row in plan)
            assert "Seq Scan on deliveries" not in steps, (str(compiled), steps)
            assert "Bitmap Heap Scan on deliveries" not in steps, (str(compiled), steps)
