"""Alerts by text message: sent through the vendor, and never more than ten an hour a channel."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlmodel import select

from lib.access import Actor
from lib.alerts import channels
from lib.alerts.channels import ChannelDraft
from lib.alerts.detection import Detection
from lib.alerts.sending import AlertSender, claim_due
from lib.alerts.text_limit import SMS_AN_HOUR
from lib.clock import now, shifted
from lib.errors import RateLimited
from lib.hub import Hub
from lib.ids import new_id
from lib.models import Alert, AlertMessage, ApiCall, DestinationState
from lib.worker.database_thread import DatabaseThread
from tests.acting import PHONE, SENDER, Vendors, connect_twilio, near, vendors
from tests.delivering import ScriptedSender
from tests.factories import make_user
from tests.fakes import twilio
from tests.outgoing_factories import make_destination


@pytest.fixture(scope="module")
def fakes() -> Iterator[Vendors]:
    with vendors("twilio") as found:
        yield found


@pytest.fixture
def acting(hub: Hub, fakes: Vendors) -> Hub:
    fakes.apps["twilio"].state.sent.clear()
    return near(hub, fakes)


@pytest.fixture
def ada(hub: Hub) -> Actor:
    return make_user(hub)


def _add_channel(hub: Hub, ada: Actor, **values: str) -> str:
    item = connect_twilio(hub, ada, **values)
    return channels.add(
        hub, ada, ChannelDraft("sms", "Phone", integration_id=item.id, number=PHONE)
    )


def _alert(hub: Hub, ada: Actor) -> str:
    place = make_destination(hub, ada)
    with hub.database.write() as session:
        session.get_one(DestinationState, place.id).breaker = "open"
    Detection(hub).look()
    with hub.database.read() as session:
        return session.exec(select(Alert.id)).one()


def _add_message(hub: Hub, channel_id: str, alert_id: str, age: timedelta, sent: bool) -> None:
    moment = now() - age
    row = AlertMessage(
        id=new_id("alm"),
        channel_id=channel_id,
        alert_ids=[alert_id],
        status="sent" if sent else "pending",
        attempts=1,
        due_at=None if sent else moment,
        created_at=moment,
        sent_at=moment if sent else None,
    )
    with hub.database.write() as session:
        session.add(row)


def _send(hub: Hub) -> None:
    async def run() -> None:
        database = DatabaseThread(hub.database)
        sending = asyncio.create_task(AlertSender(hub, ScriptedSender(), database).run())
        while any(each.due_at and each.due_at <= now() for each in _messages(hub)):
            assert not sending.done()
            await asyncio.sleep(0.05)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        database.close()

    asyncio.run(asyncio.wait_for(run(), 20))


def _messages(hub: Hub) -> list[AlertMessage]:
    with hub.database.read() as session:
        return list(session.exec(select(AlertMessage).order_by(AlertMessage.id)).all())


def test_an_alert_leaves_through_the_members_own_vendor(
    acting: Hub, ada: Actor, fakes: Vendors
) -> None:
    _add_channel(acting, ada)
    _alert(acting, ada)
    _send(acting)
    (form,) = fakes.apps["twilio"].state.sent
    assert (form["To"], form["From"]) == (PHONE, SENDER)
    assert form["Body"].startswith("Members Hub: Warehouse keeps failing")
    assert form["Body"].endswith("/alerts")
    (message,) = _messages(acting)
    assert (message.status, message.attempts) == ("sent", 1)
    with acting.database.read() as session:
        calls = session.exec(select(ApiCall)).all()
    assert [each.status for each in calls] == [201]


def test_a_text_that_may_have_been_sent_is_not_sent_again(
    acting: Hub, ada: Actor, fakes: Vendors
) -> None:
    channel_id = _add_channel(acting, ada, auth_token="MAGIC500")
    _alert(acting, ada)
    _send(acting)
    (message,) = _messages(acting)
    assert (message.status, message.attempts) == ("failed", 1)
    (view,) = channels.list_channels(acting, ada)
    assert view.id == channel_id
    assert "500" in (view.last_error or "")
    assert fakes.apps["twilio"].state.sent == []


def test_a_vendor_that_is_busy_is_asked_again(acting: Hub, ada: Actor) -> None:
    _add_channel(acting, ada, auth_token="MAGIC429")
    _alert(acting, ada)
    _send(acting)
    (message,) = _messages(acting)
    assert message.status == "pending"
    assert message.due_at


def test_messages_that_are_claimed_together_keep_to_the_limit(acting: Hub, ada: Actor) -> None:
    channel_id = _add_channel(acting, ada)
    alert_id = _alert(acting, ada)
    for _ in range(5):
        _add_message(acting, channel_id, alert_id, timedelta(minutes=1), sent=False)
    for minutes in range(7):
        _add_message(acting, channel_id, alert_id, timedelta(minutes=10 + minutes), sent=True)
    assert len(claim_due(acting, 10)) == SMS_AN_HOUR - 7
    put_off = [each.due_at for each in _messages(acting) if each.due_at and each.due_at > now()]
    assert len(put_off) == 3
    assert claim_due(acting, 10) == []


def test_tests_of_a_channel_count_and_end(acting: Hub, ada: Actor, fakes: Vendors) -> None:
    channel_id = _add_channel(acting, ada)
    for _ in range(SMS_AN_HOUR):
        assert channels.send_test(acting, ada, channel_id) is None
    with pytest.raises(RateLimited, match="within an hour"):
        channels.send_test(acting, ada, channel_id)
    assert len(fakes.apps["twilio"].state.sent) == SMS_AN_HOUR
    _alert(acting, ada)
    assert claim_due(acting, 10) == []
    with shifted(timedelta(minutes=62)):
        assert len(claim_due(acting, 10)) == 1


def test_a_test_that_failed_counts_and_delays_no_news(acting: Hub, ada: Actor) -> None:
    channel_id = _add_channel(acting, ada, auth_token=twilio.FAILING_TOKEN)
    failure = channels.send_test(acting, ada, channel_id)
    assert failure
    _alert(acting, ada)
    trial, news = _messages(acting)
    assert (trial.status, trial.sent_at, trial.due_at) == ("trial", None, None)
    assert news.due_at
    assert news.due_at <= now()
