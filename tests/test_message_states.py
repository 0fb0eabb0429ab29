"""States of messages and calls move forwards alone, whatever order their reports come in."""

import random
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import delete
from sqlmodel import col, select

from lib.clock import now
from lib.connections.integrations import Integration
from lib.events.reading import get_event
from lib.hub import Hub
from lib.masking import HIDDEN
from lib.models import EventKey, MessageState, SearchDocument, WebhookEvent
from lib.processing.batch import process_batch
from lib.processing.message_states import OwnedReport, advance
from lib.providers.registry import get_provider
from lib.providers.reports import StateReport
from tests.event_factories import make_event, make_integration
from tests.factories import make_user
from tests.receiving import connect, post, receiving, sign, stored_events

SID, CALL = "SM" + "1" * 32, "CA" + "2" * 32


@pytest.fixture
def item(hub: Hub) -> Integration:
    return make_integration(hub, make_user(hub))


def report(hub: Hub, item: Integration, **fields: Any) -> str:
    """Let a status callback come in, and return the event's id."""
    event_type = "call.status" if "CallSid" in fields else "message.status"
    event_id = make_event(hub, item, event_type=event_type, status="pending", payload=fields)
    with hub.database.write() as session:
        # It is as it arrived: nothing was derived from it yet.
        session.execute(delete(SearchDocument).where(col(SearchDocument.event_id) == event_id))
        session.execute(delete(EventKey).where(col(EventKey.event_id) == event_id))
        row = session.get_one(WebhookEvent, event_id)
        row.content_type = "application/x-www-form-urlencoded"
        row.payload = urlencode(fields).encode()
        row.external_id = fields.get("MessageSid") or fields.get("CallSid")
    return event_id


def work(hub: Hub) -> None:
    while process_batch(hub):
        pass


def states(hub: Hub) -> Sequence[MessageState]:
    with hub.database.read() as session:
        return session.exec(select(MessageState).order_by(MessageState.sid)).all()


def test_sent_then_delivered_with_one_sid_are_two_events(hub: Hub) -> None:
    ada = make_user(hub)
    issued = connect(hub, ada, "twilio")
    with receiving(hub) as client:
        for status in ("sent", "delivered"):
            signed = sign(issued, {"MessageSid": SID, "MessageStatus": status})
            assert post(client, issued.integration.webhook_url, signed).status_code == 204
    first, second = stored_events(hub)
    assert (first.external_id, second.external_id) == (SID, SID)
    assert first.dedupe_key != second.dedupe_key
    work(hub)
    assert [(row.sid, row.state, row.rank) for row in states(hub)] == [(SID, "delivered", 5)]


@pytest.mark.parametrize("apart", [True, False])
def test_delivered_then_late_sent_keeps_delivered(hub: Hub, item: Integration, apart: bool) -> None:
    report(hub, item, MessageSid=SID, MessageStatus="delivered")
    if apart:
        work(hub)
    report(hub, item, MessageSid=SID, MessageStatus="sent")
    work(hub)
    (row,) = states(hub)
    assert (row.state, row.kind, row.user_id) == ("delivered", "message", item.user_id)


def test_any_order_ends_at_the_same_state(hub: Hub, item: Integration) -> None:
    order = random.Random(7)
    for number in range(5):
        sid = f"SM{number:032x}"
        told = ["accepted", "queued", "sending", "sent", "delivered"]
        order.shuffle(told)
        for status in told:
            report(hub, item, MessageSid=sid, MessageStatus=status)
            if order.random() < 0.4:
                work(hub)
    work(hub)
    assert {row.state for row in states(hub)} == {"delivered"}
    assert len(states(hub)) == 5


def test_a_failure_keeps_its_code_and_read_follows_delivered(hub: Hub, item: Integration) -> None:
    report(hub, item, MessageSid=SID, MessageStatus="undelivered", ErrorCode="30003")
    report(hub, item, MessageSid="SM" + "3" * 32, MessageStatus="delivered")
    work(hub)
    report(hub, item, MessageSid="SM" + "3" * 32, MessageStatus="delivered", EventType="READ")
    work(hub)
    first, second = states(hub)
    assert (first.state, first.error_code) == ("undelivered", "30003")
    assert second.state == "read"


def test_a_call_goes_by_its_sequence_then_by_rank(hub: Hub, item: Integration) -> None:
    for number, status in ((0, "initiated"), (3, "completed"), (2, "in-progress"), (1, "ringing")):
        report(hub, item, CallSid=CALL, CallStatus=status, SequenceNumber=str(number))
        work(hub)
    report(hub, item, CallSid=CALL, CallStatus="ringing")
    work(hub)
    (row,) = states(hub)
    assert (row.state, row.sequence, row.kind) == ("completed", 3, "call")


def test_states_of_two_integrations_do_not_meet(hub: Hub, item: Integration) -> None:
    other = make_integration(hub, make_user(hub, "bob@example.com"))
    report(hub, item, MessageSid=SID, MessageStatus="delivered")
    report(hub, other, MessageSid=SID, MessageStatus="sent")
    work(hub)
    assert {(row.integration_id, row.state) for row in states(hub)} == {
        (item.id, "delivered"),
        (other.id, "sent"),
    }


def test_a_report_is_kept_with_its_event_or_not_at_all(
    hub: Hub, item: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    event_id = report(hub, item, MessageSid=SID, MessageStatus="sent")

    def fail(*_: object) -> None:
        raise RuntimeError("the process died here")

    with monkeypatch.context() as patch:
        patch.setattr("lib.processing.batch.enqueue", fail)
        with pytest.raises(RuntimeError):
            process_batch(hub)
    assert states(hub) == []
    with hub.database.write() as session:
        row = session.get_one(WebhookEvent, event_id)
        row.due_at = row.created_at
    work(hub)
    assert [row.state for row in states(hub)] == ["sent"]


def test_the_two_forms_of_the_rule_agree(hub: Hub, item: Integration) -> None:
    """What is ahead within one batch is ahead of what is stored, and the other way round."""
    order = random.Random(11)

    def made(sid: str) -> OwnedReport:
        sequence = order.choice([None, 0, 1, 2])
        rank = order.randint(0, 3)
        report = StateReport(sid, "call", f"{rank}/{sequence}", rank, sequence)
        return OwnedReport(item.id, item.user_id, report, now())

    for number in range(40):
        pair = [made(f"apart{number:03}") for _ in range(2)]
        together = [
            OwnedReport(item.id, item.user_id, _renamed(each, number), now()) for each in pair
        ]
        for each in pair:
            with hub.database.write() as session:
                advance(session, [each])
        with hub.database.write() as session:
            advance(session, together)
    found = {row.sid: row.state for row in states(hub)}
    for number in range(40):
        assert found[f"apart{number:03}"] == found[f"batch{number:03}"]


def _renamed(item: OwnedReport, number: int) -> StateReport:
    known = item.report
    return StateReport(f"batch{number:03}", known.kind, known.state, known.rank, known.sequence)


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"MessageSid": SID},
        {"MessageSid": SID, "MessageStatus": "teleported"},
        {"MessageStatus": "sent"},
        {"MessageSid": [], "MessageStatus": {}},
        None,
        [1],
    ],
)
def test_a_report_without_sid_or_known_state_is_none(payload: Any) -> None:
    assert get_provider("twilio").report("message.status", payload) is None
    assert get_provider("make").report("message.status", payload) is None


def test_other_events_report_nothing() -> None:
    inbound = {"MessageSid": SID, "SmsStatus": "received", "MessageStatus": "sent"}
    assert get_provider("twilio").report("message.inbound", inbound) is None
    odd = {"CallSid": CALL, "CallStatus": "ringing", "SequenceNumber": "٣"}
    found = get_provider("twilio").report("call.status", odd)
    assert found is not None
    assert found.sequence is None


def test_the_event_shows_how_far_its_message_has_come(hub: Hub, item: Integration) -> None:
    event_id = report(hub, item, MessageSid=SID, MessageStatus="sent")
    work(hub)
    report(hub, item, MessageSid=SID, MessageStatus="delivered")
    work(hub)
    staff = make_user(hub, "sam@example.com", "staff")
    progress = get_event(hub, staff, event_id).progress
    assert progress is not None
    assert (progress.sid, progress.state) == (SID, "delivered")
    analyst = make_user(hub, "ana@example.com", "analyst")
    masked = get_event(hub, analyst, event_id).progress
    assert masked is not None
    assert (masked.sid, masked.state) == (HIDDEN, "delivered")
