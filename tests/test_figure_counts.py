"""What charts are drawn from is counted once, in the transaction of what it counts."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import delete
from sqlmodel import col, select

from lib.clock import now, shifted
from lib.connections.integrations import Integration
from lib.histogram import bucket_of, upper_bound
from lib.hub import Hub
from lib.models import (
    Conversation,
    DeliveryAttempt,
    DurationRollup,
    EventKey,
    FailureRollup,
    HubFact,
    MessageRollup,
    SearchDocument,
    WebhookEvent,
)
from lib.processing.batch import process_batch
from lib.processing.durations import seconds_at
from lib.providers.registry import get_provider
from lib.pseudonyms import KEY_FACT, load_pseudonyms
from tests.delivering import (
    TIMEOUT,
    ScriptedSender,
    answer,
    deliver,
    get_delivery,
    make_destination,
    owner_of,
    queue,
)
from tests.event_factories import make_event, make_integration
from tests.factories import make_user
from tests.figure_factories import count_failures, count_messages, count_waits
from tests.retention_rows import do_round
from tests.totals_of import assert_totals_are_right

SID, CALL = "SM" + "1" * 32, "CA" + "2" * 32
CONTACT, OURS = "+14155550123", "+14155550199"
MINUTE = timedelta(minutes=1)
URL = "https://sink.example.com/a"


@pytest.fixture(autouse=True)
def right_totals(hub: Hub) -> Iterator[None]:
    """Whatever is counted here, the totals are the sums of it at the end."""
    yield
    assert_totals_are_right(hub)


@pytest.fixture
def item(hub: Hub) -> Integration:
    return make_integration(hub, make_user(hub))


def arrive(hub: Hub, item: Integration, event_type: str, *, ago: timedelta, **fields: str) -> str:
    """Let a callback be received some time ago and wait for the worker."""
    event_id = make_event(hub, item, event_type=event_type, status="pending", age=ago)
    with hub.database.write() as session:
        for table in (SearchDocument, EventKey):
            session.execute(delete(table).where(col(table.event_id) == event_id))
        row = session.get_one(WebhookEvent, event_id)
        row.content_type = "application/x-www-form-urlencoded"
        row.payload = urlencode(fields).encode()
        row.external_id = fields.get("MessageSid") or fields.get("CallSid")
    return event_id


def report(
    hub: Hub,
    item: Integration,
    status: str,
    *,
    ago: timedelta = MINUTE,
    sid: str = SID,
    **more: str,
) -> str:
    fields = {"MessageSid": sid, "MessageStatus": status, "To": CONTACT, "From": OURS, **more}
    return arrive(hub, item, "message.status", ago=ago, **fields)


def write_in(hub: Hub, item: Integration, *, ago: timedelta, sender: str = CONTACT) -> str:
    fields = {"MessageSid": "SM" + "9" * 32, "From": sender, "To": OURS, "Body": "Hi"}
    return arrive(hub, item, "message.inbound", ago=ago, **fields)


def work(hub: Hub) -> None:
    while process_batch(hub):
        pass


def message_counts(hub: Hub) -> Mapping[tuple[str, str], int]:
    with hub.database.read() as session:
        rows = session.exec(select(MessageRollup)).all()
    return {(row.state, row.error_code): row.count for row in rows if row.count}


def durations(hub: Hub, measure: str) -> Counter[int]:
    with hub.database.read() as session:
        query = select(DurationRollup).where(col(DurationRollup.measure) == measure)
        return Counter({row.bucket: row.count for row in session.exec(query)})


def conversations(hub: Hub) -> Sequence[Conversation]:
    with hub.database.read() as session:
        return session.exec(select(Conversation)).all()


def failure_counts(hub: Hub) -> dict[tuple[str, int], int]:
    with hub.database.read() as session:
        rows = session.exec(select(FailureRollup)).all()
    return {(row.error_class, row.response_status): row.count for row in rows}


def test_failed_attempts_are_counted_by_class_and_answer(hub: Hub, item: Integration) -> None:
    place = make_destination(hub, owner_of(item), URL)
    event_id = make_event(hub, item)
    ids = queue(hub, item, event_id, destination=place, count=5)
    sender = ScriptedSender({URL: [TIMEOUT, answer(503), answer(503), answer(422)]})
    deliver(hub, sender, until=lambda: all(get_delivery(hub, each).attempts for each in ids))
    assert failure_counts(hub) == {("timeout", 0): 1, ("http_5xx", 503): 2, ("http_4xx", 422): 1}
    with hub.database.read() as session:
        attempts = session.exec(select(DeliveryAttempt)).all()
    failed = [each for each in attempts if each.error_class]
    assert len(failed) == sum(failure_counts(hub).values())


def test_a_success_writes_no_row_of_failures(hub: Hub, item: Integration) -> None:
    place = make_destination(hub, owner_of(item), URL)
    (delivery_id,) = queue(hub, item, make_event(hub, item), destination=place)
    deliver(hub, ScriptedSender(), until=lambda: bool(get_delivery(hub, delivery_id).attempts))
    assert failure_counts(hub) == {}


class _Died(BaseException):
    """What nothing in the process outlives."""


def test_a_settlement_that_dies_counts_nothing(
    hub: Hub, item: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = make_destination(hub, owner_of(item), URL)
    (delivery_id,) = queue(hub, item, make_event(hub, item), destination=place)
    sender = ScriptedSender({URL: [answer(500)]})
    from lib.outgoing import settlement

    real, calls = settlement.count_failures, 0

    def die_after_counting(session: Any, finished: Any) -> None:
        nonlocal calls
        real(session, finished)
        calls += 1
        if calls == 1 and finished:
            raise _Died

    monkeypatch.setattr(settlement, "count_failures", die_after_counting)
    with pytest.raises(_Died):
        deliver(hub, sender, until=lambda: bool(get_delivery(hub, delivery_id).attempts))
    assert failure_counts(hub) == {}


def test_a_message_leaves_its_old_state_for_its_new_one(hub: Hub, item: Integration) -> None:
    for number, status in enumerate(("queued", "sent", "delivered", "sent")):
        report(hub, item, status, ago=MINUTE * (9 - number))
        work(hub)
        expected = status if number < 3 else "delivered"
        assert message_counts(hub) == {(expected, ""): 1}
    report(hub, item, "undelivered", sid="SM" + "2" * 32, ErrorCode="30003")
    report(hub, item, "failed", sid="SM" + "3" * 32, ErrorCode="30008")
    work(hub)
    assert message_counts(hub) == {
        ("delivered", ""): 1,
        ("undelivered", "30003"): 1,
        ("failed", "30008"): 1,
    }


def test_a_message_counts_in_the_hour_of_its_first_report(hub: Hub, item: Integration) -> None:
    first = now() - timedelta(hours=5)
    report(hub, item, "queued", ago=timedelta(hours=5))
    work(hub)
    report(hub, item, "delivered", ago=MINUTE)
    work(hub)
    with hub.database.read() as session:
        rows = session.exec(select(MessageRollup).where(col(MessageRollup.count) > 0)).all()
    hour = first.replace(minute=0, second=0, microsecond=0)
    assert [(row.hour, row.state, row.user_id) for row in rows] == [
        (hour, "delivered", item.user_id)
    ]


def test_a_state_from_before_counts_were_kept_takes_nothing_off(
    hub: Hub, item: Integration
) -> None:
    report(hub, item, "sent")
    work(hub)
    with hub.database.write() as session:
        session.execute(delete(MessageRollup))
    report(hub, item, "delivered")
    work(hub)
    assert message_counts(hub) == {("delivered", ""): 1}


def test_two_workers_count_each_message_once(hub: Hub, item: Integration) -> None:
    sids = [f"SM{number:032x}" for number in range(40)]
    for sid in sids:
        for number, status in enumerate(("queued", "sent", "delivered")):
            report(hub, item, status, sid=sid, ago=MINUTE * (9 - number))
    start = threading.Barrier(2)

    def race() -> None:
        start.wait()
        work(hub)

    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(race) for _ in range(2)]:
            each.result()
    assert message_counts(hub) == {("delivered", ""): 40}
    assert durations(hub, "message_delivered").total() <= 40


def test_a_batch_that_dies_is_counted_when_it_is_taken_again(
    hub: Hub, item: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    report(hub, item, "sent", ago=MINUTE * 3)
    report(hub, item, "delivered", ago=MINUTE * 2)
    write_in(hub, item, ago=MINUTE)

    def fail(*_: object) -> None:
        raise RuntimeError("the process died here")

    with monkeypatch.context() as patch:
        patch.setattr("lib.processing.batch.enqueue", fail)
        with pytest.raises(RuntimeError):
            process_batch(hub)
    assert (message_counts(hub), durations(hub, "reply")) == ({}, Counter())
    with shifted(timedelta(minutes=2)):
        work(hub)
        work(hub)
    assert message_counts(hub) == {("delivered", ""): 1}
    assert (durations(hub, "reply").total(), durations(hub, "message_delivered").total()) == (1, 1)


def test_the_time_to_arrive_is_from_the_first_report(hub: Hub, item: Integration) -> None:
    report(hub, item, "queued", ago=timedelta(seconds=600))
    work(hub)
    report(hub, item, "sent", ago=timedelta(seconds=595))
    report(hub, item, "delivered", ago=timedelta(seconds=540))
    report(hub, item, "delivered", ago=timedelta(seconds=100), EventType="READ")
    work(hub)
    found = durations(hub, "message_delivered")
    assert found.total() == 1
    assert seconds_at(found, 0.5) == upper_bound(bucket_of(60))
    report(hub, item, "delivered", sid="SM" + "5" * 32)
    work(hub)
    assert durations(hub, "message_delivered").total() == 1, "one report tells no duration"


def test_calls_have_states_and_no_arrival(hub: Hub, item: Integration) -> None:
    for number, status in enumerate(("ringing", "completed")):
        fields = {"CallSid": CALL, "CallStatus": status, "SequenceNumber": str(number)}
        arrive(hub, item, "call.status", ago=MINUTE * (5 - number), **fields)
    work(hub)
    assert message_counts(hub) == {("completed", ""): 1}
    assert durations(hub, "message_delivered") == Counter()


@pytest.mark.parametrize("apart", [True, False])
def test_a_reply_is_counted_once_from_our_last_message(
    hub: Hub, item: Integration, apart: bool
) -> None:
    steps = (
        lambda: report(hub, item, "queued", ago=MINUTE * 90, sid="SM" + "7" * 32),
        lambda: report(hub, item, "queued", ago=MINUTE * 60),
        lambda: write_in(hub, item, ago=MINUTE * 30, sender=f"whatsapp:{CONTACT}"),
        # A late callback about a message is not a new message.
        lambda: report(hub, item, "delivered", ago=MINUTE * 20),
        lambda: write_in(hub, item, ago=MINUTE * 10),
    )
    for step in steps:
        step()
        if apart:
            work(hub)
    work(hub)
    found = durations(hub, "reply")
    assert found == Counter({bucket_of(30 * 60): 1})
    assert conversations(hub) == []


def test_who_has_not_answered_is_known_by_a_digest_alone(hub: Hub, item: Integration) -> None:
    report(hub, item, "sent", ago=MINUTE * 5)
    report(hub, item, "failed", sid="SM" + "8" * 32, To="+14155550177")
    write_in(hub, item, ago=MINUTE, sender="+14155550188")
    work(hub)
    (row,) = conversations(hub)
    assert row.contact_digest == load_pseudonyms(hub).name(CONTACT)
    assert CONTACT[-4:] not in repr(row)
    assert durations(hub, "reply") == Counter()


def test_a_reply_before_our_message_is_no_answer(hub: Hub, item: Integration) -> None:
    report(hub, item, "sent", ago=MINUTE)
    write_in(hub, item, ago=MINUTE * 5)
    work(hub)
    assert len(conversations(hub)) == 1
    assert durations(hub, "reply") == Counter()


def test_events_do_not_wait_for_a_contact_key_that_does_not_open(
    hub: Hub, item: Integration
) -> None:
    load_pseudonyms(hub).name(CONTACT)
    with hub.database.write() as session:
        session.get_one(HubFact, KEY_FACT).value = "v1.00000000.AAAA"
    report(hub, item, "sent", ago=MINUTE * 5)
    write_in(hub, item, ago=MINUTE)
    work(hub)
    assert message_counts(hub) == {("sent", ""): 1}
    with hub.database.read() as session:
        assert set(session.exec(select(WebhookEvent.status))) == {"success"}
    assert conversations(hub) == []


@pytest.mark.parametrize(
    ("event_type", "fields", "expected"),
    [
        ("InboundMessage", {"contactId": "c1", "messageType": "SMS"}, ("c1", False)),
        ("OutboundMessage", {"contactId": "c1", "messageType": "Email"}, ("c1", True)),
        ("OutboundMessage", {"contactId": "c1", "direction": "inbound"}, ("c1", False)),
        ("OutboundMessage", {"contactId": "c1", "messageType": "CALL"}, None),
        ("InboundMessage", {}, None),
        ("ContactCreate", {"contactId": "c1"}, None),
        ("InboundMessage", None, None),
    ],
)
def test_whose_turn_a_highlevel_event_is(
    event_type: str, fields: Any, expected: tuple[str, bool] | None
) -> None:
    turn = get_provider("gohighlevel").turn(event_type, fields)
    assert (turn and (turn.contact, turn.is_ours)) == expected
    assert get_provider("make").turn(event_type, fields) is None


def test_counts_go_at_their_age_and_conversations_after_a_month(
    hub: Hub, item: Integration
) -> None:
    place = make_destination(hub, owner_of(item))
    for days in (10, 500):
        hour = (now() - timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
        count_failures(hub, place, hour)
        count_messages(hub, item, hour)
        count_waits(hub, item, hour)
    for days in (20, 40):
        _write_to(hub, item, f"c_{days}", now() - timedelta(days=days))
    do_round(hub, batch=1)
    with hub.database.read() as session:
        for table in (FailureRollup, MessageRollup, DurationRollup):
            assert [row.count for row in session.exec(select(table))] == [1], table
    assert [row.contact_digest for row in conversations(hub)] == ["c_20"]


def _write_to(hub: Hub, item: Integration, digest: str, sent_at: datetime) -> None:
    with hub.database.write() as session:
        session.add(Conversation(integration_id=item.id, contact_digest=digest, sent_at=sent_at))


def test_two_workers_count_each_reply_once(hub: Hub, item: Integration) -> None:
    contacts = [f"+14155550{number}" for number in range(100, 140)]
    for number, contact in enumerate(contacts):
        report(hub, item, "sent", ago=MINUTE * 9, sid=f"SM{number:032x}", To=contact)
    work(hub)
    for contact in contacts:
        for ago in (5, 4):
            write_in(hub, item, ago=MINUTE * ago, sender=contact)
    start = threading.Barrier(2)

    def race() -> None:
        start.wait()
        work(hub)

    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(race) for _ in range(2)]:
            each.result()
    assert durations(hub, "reply").total() == len(contacts)
    assert conversations(hub) == []
