"""Alerts: what opens and resolves them, how news are grouped, muted, sent and tried again."""

import asyncio
import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from lib.access import Actor
from lib.alerts import channels, kind_mutes, reading
from lib.alerts.channels import ChannelDraft
from lib.alerts.detection import SLOW_TURN, TURN, Detection
from lib.alerts.grouping import after_quiet_hours, next_due
from lib.alerts.reading import AlertFilters
from lib.alerts.sending import MOST_TRIES, PAUSES, AlertSender, claim_due
from lib.alerts.text_limit import SMS_AN_HOUR
from lib.clock import now, shifted
from lib.connections import integrations
from lib.errors import InvalidInput
from lib.hub import Hub
from lib.ids import new_id
from lib.models import (
    Alert,
    AlertChannel,
    AlertMessage,
    ApiToken,
    BackupRun,
    Delivery,
    Destination,
    DestinationState,
    HubFact,
    IntegrationConfig,
    Issue,
    OAuthGrant,
    VendorBudget,
    WebhookEvent,
)
from lib.worker.database_thread import DatabaseThread
from tests.delivering import ScriptedSender, answer
from tests.event_factories import make_event, make_integration, make_rollup
from tests.factories import make_user
from tests.oauth_clients import make_grant
from tests.outgoing_factories import make_delivery, make_destination, make_issue

HOOK = "https://hooks.example.com/services/T0/s3cr3t-hook"
SECOND = timedelta(seconds=1)


@pytest.fixture
def ada(hub: Hub) -> Actor:
    return make_user(hub)


def _look(hub: Hub, detection: Detection | None = None) -> int:
    """Make one round, whenever the last one was."""
    with hub.database.write() as session:
        for name in (TURN, SLOW_TURN):
            row = session.get(HubFact, name)
            if row is not None:
                session.delete(row)
    return (detection or Detection(hub)).look()


def _alerts(hub: Hub) -> list[Alert]:
    with hub.database.read() as session:
        return list(session.exec(select(Alert).order_by(Alert.id)).all())


def _messages(hub: Hub) -> list[AlertMessage]:
    with hub.database.read() as session:
        return list(session.exec(select(AlertMessage).order_by(AlertMessage.id)).all())


def _set(hub: Hub, table: type[Any], key: str, **values: Any) -> None:
    with hub.database.write() as session:
        row = session.get(table, key)
        for name, value in values.items():
            setattr(row, name, value)


def _add(hub: Hub, row: Any) -> Any:
    with hub.database.write() as session:
        session.add(row)
    return row


def _slack(hub: Hub, owner: Actor, **changes: Any) -> str:
    return channels.add(hub, owner, ChannelDraft("slack", "Team", url=HOOK, **changes))


def _send(hub: Hub, sender: ScriptedSender) -> None:
    async def run() -> None:
        database = DatabaseThread(hub.database)
        alerts = AlertSender(hub, sender, database)
        await alerts.turn()
        await alerts.finish()
        database.close()

    asyncio.run(run())


def _make_issue(hub: Hub, ada: Actor) -> str:
    event_id = make_event(hub, make_integration(hub, ada))
    return make_issue(hub, make_delivery(hub, event_id, make_destination(hub, ada), status="dead"))


def _break_issue(hub: Hub, ada: Actor) -> Any:
    issue_id = _make_issue(hub, ada)
    return lambda: _set(hub, Issue, issue_id, state="acknowledged")


def _break_breaker(hub: Hub, ada: Actor) -> Any:
    place = make_destination(hub, ada)
    _set(hub, DestinationState, place.id, breaker="open")
    return lambda: _set(hub, DestinationState, place.id, breaker="closed")


def _disable(hub: Hub, ada: Actor) -> Any:
    place = make_destination(hub, ada, disabled_at=now(), disabled_reason="It said 410.")
    return lambda: _set(hub, Destination, place.id, disabled_at=None)


def _fail_check(hub: Hub, ada: Actor) -> Any:
    item = make_integration(hub, ada)
    _set(hub, IntegrationConfig, item.id, status="failed", status_message="Refused.")
    return lambda: _set(hub, IntegrationConfig, item.id, status="verified")


def _fail_backup(hub: Hub, ada: Actor) -> Any:
    make_user(hub, "sam@example.com", "staff")
    _add(hub, BackupRun(id="bak_1", path="a", started_at=now(), error="The disk is full."))
    return lambda: _add(hub, BackupRun(id="bak_2", path="b", started_at=now() + SECOND))


def _spend_budget(hub: Hub, ada: Actor) -> Any:
    item = make_integration(hub, ada, service_name="gohighlevel")
    moment = now()
    _add(
        hub,
        VendorBudget(
            service_name=item.service_name,
            account="ve9EPM428h8vShlRW1KT",
            burst_limit=100,
            spent={},
            daily_limit=1000,
            daily_remaining=40,
            day_ends_at=moment + timedelta(hours=3),
            updated_at=moment,
        ),
    )
    key = (item.service_name, "ve9EPM428h8vShlRW1KT")
    return lambda: _set(hub, VendorBudget, key, daily_remaining=900)  # type: ignore[arg-type]


def _expire_token(hub: Hub, ada: Actor) -> Any:
    moment = now()
    row = ApiToken(
        id=new_id("tok"),
        user_id=ada.id,
        name="Zaps",
        token_digest="d",
        last4="abcd",
        scopes=["all"],
        created_at=moment,
        expires_at=moment + timedelta(days=2),
    )
    _add(hub, row)
    return lambda: _set(hub, ApiToken, row.id, revoked_at=moment)


def _stop_events(hub: Hub, ada: Actor) -> Any:
    make_user(hub, "sam@example.com", "staff")
    event_id = make_event(hub, make_integration(hub, ada))
    _set(hub, WebhookEvent, event_id, status="pending", due_at=now() - timedelta(hours=1))
    return lambda: _set(hub, WebhookEvent, event_id, status="success")


def _stop_queue(hub: Hub, ada: Actor) -> Any:
    place = make_destination(hub, ada)
    event_id = make_event(hub, make_integration(hub, ada))
    row = make_delivery(hub, event_id, place, next_attempt_at=now() - timedelta(hours=1))
    return lambda: _set(hub, Delivery, row.id, status="cancelled", next_attempt_at=None)


def _be_silent(hub: Hub, ada: Actor) -> Any:
    item = make_integration(hub, ada)
    moment = now().replace(minute=0, second=0, microsecond=0)
    _set(hub, IntegrationConfig, item.id, created_at=moment - timedelta(weeks=6))
    for hours in range(6, 24 * 28):
        if hours % 3 == 0 or hours % 168 < 24 or hours % 168 > 150:
            make_rollup(hub, item, 20, hour=moment - timedelta(hours=hours))
    return lambda: make_rollup(hub, item, 1, hour=moment)


BREAKS = {
    "issue_open": _break_issue,
    "breaker_open": _break_breaker,
    "destination_disabled": _disable,
    "check_failed": _fail_check,
    "backup_failed": _fail_backup,
    "budget_low": _spend_budget,
    "credential_expiring": _expire_token,
    "queue_old": _stop_queue,
    "integration_silent": _be_silent,
}


@pytest.mark.parametrize("kind", BREAKS)
def test_a_condition_opens_once_and_resolves_by_itself(hub: Hub, ada: Actor, kind: str) -> None:
    mend = BREAKS[kind](hub, ada)
    detections = Detection(hub), Detection(hub)
    _together(detections)
    (alert,) = _alerts(hub)
    assert (alert.kind, alert.state, alert.count) == (kind, "open", 1)
    _look(hub, detections[1])
    assert [each.id for each in _alerts(hub)] == [alert.id]
    mend()
    with shifted(timedelta(minutes=2)):
        for detection in detections:
            _look(hub, detection)
    (alert,) = _alerts(hub)
    assert alert.state == "resolved"
    assert alert.resolved_at


def _together(detections: tuple[Detection, ...]) -> None:
    threads = [threading.Thread(target=each.look) for each in detections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_events_that_are_not_processed_are_told_to_staff(hub: Hub, ada: Actor) -> None:
    mend = _stop_events(hub, ada)
    _look(hub)
    (alert,) = _alerts(hub)
    assert (alert.kind, alert.object_id) == ("queue_old", "hub")
    assert alert.user_id != ada.id
    mend()
    _look(hub)
    assert _alerts(hub)[0].state == "resolved"


def test_a_second_worker_leaves_the_round_alone(hub: Hub, ada: Actor) -> None:
    _break_breaker(hub, ada)
    assert Detection(hub).look() == 1
    _break_issue(hub, ada)
    assert Detection(hub).look() == 0
    assert len(_alerts(hub)) == 1


def test_a_condition_that_returns_is_a_new_occurrence(hub: Hub, ada: Actor) -> None:
    mend = _break_breaker(hub, ada)
    _look(hub)
    mend()
    _look(hub)
    place_id = _alerts(hub)[0].object_id
    _set(hub, DestinationState, place_id, breaker="open")
    _look(hub)
    (alert,) = _alerts(hub)
    assert (alert.state, alert.count, alert.resolved_at) == ("open", 2, None)


def test_a_muted_issue_opens_no_alert(hub: Hub, ada: Actor) -> None:
    _set(hub, Issue, _make_issue(hub, ada), muted_until=now() + timedelta(hours=1))
    assert _look(hub) == 0
    with shifted(timedelta(hours=2)):
        assert _look(hub) == 1


@pytest.mark.parametrize("state", ["acknowledged", "ignored", "muted"])
def test_an_issue_that_somebody_handles_is_told_no_more(hub: Hub, ada: Actor, state: str) -> None:
    issue_id = _make_issue(hub, ada)
    _slack(hub, ada)
    _look(hub)
    muted_until = now() + timedelta(days=1) if state == "muted" else None
    _set(hub, Issue, issue_id, state="open" if muted_until else state, muted_until=muted_until)
    sender = ScriptedSender()
    _send(hub, sender)
    with shifted(timedelta(minutes=10)):
        _look(hub)
        _send(hub, sender)
    assert _alerts(hub)[0].state == "resolved"
    assert sender.sent == []
    assert _messages(hub) == []
    _set(hub, Issue, issue_id, state="open")
    with shifted(timedelta(days=2)):
        _look(hub)
        _send(hub, sender)
    assert sender.count(HOOK) == 1


def test_an_issue_that_is_resolved_is_told(hub: Hub, ada: Actor) -> None:
    issue_id = _make_issue(hub, ada)
    _slack(hub, ada)
    _look(hub)
    sender = ScriptedSender()
    _send(hub, sender)
    _set(hub, Issue, issue_id, state="resolved")
    with shifted(timedelta(minutes=10)):
        _look(hub)
        _send(hub, sender)
    assert b"Resolved: Deliveries to Warehouse" in sender.sent[1].body


def test_a_muted_kind_is_told_to_others_and_later_what_is_still_open(hub: Hub, ada: Actor) -> None:
    staff = make_user(hub, "sam@example.com", "staff")
    own, others = _slack(hub, ada), _slack(hub, staff, hears_all=True)
    kind_mutes.mute_kind(hub, ada, "breaker_open")
    _break_breaker(hub, ada)
    _look(hub)
    assert [each.channel_id for each in _messages(hub)] == [others]
    assert (reading.count_open(hub, ada), reading.count_open(hub, staff)) == (0, 1)
    assert list(kind_mutes.muted_kinds(hub, ada)) == ["breaker_open"]
    with shifted(timedelta(days=1, minutes=1)):
        _look(hub)
        assert [each.channel_id for each in _messages(hub)] == [others, own]
        assert (reading.count_open(hub, ada), kind_mutes.muted_kinds(hub, ada)) == (1, {})


def test_a_kind_that_is_muted_while_news_wait_is_not_told(hub: Hub, ada: Actor) -> None:
    _slack(hub, ada)
    _break_breaker(hub, ada)
    _look(hub)
    kind_mutes.mute_kind(hub, ada, "breaker_open")
    sender = ScriptedSender()
    _send(hub, sender)
    assert sender.sent == []
    kind_mutes.unmute_kind(hub, ada, "breaker_open")
    _look(hub)
    _send(hub, sender)
    assert sender.count(HOOK) == 1


def test_a_mute_names_a_kind(hub: Hub, ada: Actor) -> None:
    with pytest.raises(InvalidInput):
        kind_mutes.mute_kind(hub, ada, "everything")


def test_tokens_that_nobody_used_are_in_order(hub: Hub, ada: Actor) -> None:
    item = make_integration(hub, ada)
    make_grant(hub, item, facts={})
    long_ago = now() - timedelta(days=2)
    _set(hub, OAuthGrant, item.id, refresh_at=long_ago, renew_at=long_ago)
    assert _look(hub) == 0
    # A renewal that began, and whose process died.
    _set(hub, OAuthGrant, item.id, lease_holder="gone", lease_ends_at=now() - timedelta(hours=2))
    assert _look(hub) == 1
    _set(hub, OAuthGrant, item.id, lease_holder=None, trouble="HighLevel refused it.")
    with shifted(timedelta(minutes=2)):
        _look(hub)
    assert [each.message for each in _alerts(hub)] == ["HighLevel refused it."]


def test_a_secret_that_is_old_is_told_whatever_stands_before_it(hub: Hub, ada: Actor) -> None:
    values = {"location_id": "ve9EPM428h8vShlRW1KT", "private_token": "pit-0123456789"}
    with shifted(-timedelta(days=85)):
        make_integration(hub, ada, "Old scenario", service_name="make")
        issued = integrations.add(
            hub, ada, service_name="gohighlevel", name="Old key", values=values
        )
    make_integration(hub, ada, "New key", service_name="gohighlevel")
    _look(hub)
    (alert,) = _alerts(hub)
    assert (alert.kind, alert.object_id) == ("credential_expiring", issued.integration.id)
    assert "85 days old" in alert.message
    fresh = {**values, "private_token": "pit-9876543210"}
    integrations.update(hub, ada, issued.integration.id, name="Old key", values=fresh)
    _look(hub)
    assert _alerts(hub)[0].state == "resolved"


def test_the_silence_is_told_with_its_rhythm(hub: Hub, ada: Actor) -> None:
    _be_silent(hub, ada)
    _look(hub)
    (alert,) = _alerts(hub)
    assert "usually 20 an hour on " in alert.message
    with hub.database.read() as session:
        assert reading.silent_integrations(session, [alert.object_id, "int_other"]) == {
            alert.object_id
        }


def test_paused_and_young_integrations_are_never_silent(hub: Hub, ada: Actor) -> None:
    _be_silent(hub, ada)
    with hub.database.read() as session:
        row = session.exec(select(IntegrationConfig)).one()
    _set(hub, IntegrationConfig, row.id, is_active=False)
    assert _look(hub) == 0
    _set(hub, IntegrationConfig, row.id, is_active=True, created_at=now() - timedelta(days=6))
    assert _look(hub) == 0


def test_the_first_news_go_at_once_and_further_ones_are_collected(hub: Hub, ada: Actor) -> None:
    _slack(hub, ada)
    _break_breaker(hub, ada)
    _look(hub)
    sender = ScriptedSender()
    _send(hub, sender)
    assert sender.count(HOOK) == 1
    _break_issue(hub, ada)
    _look(hub)
    _fail_check(hub, ada)
    _look(hub)
    _send(hub, sender)
    assert sender.count(HOOK) == 1
    with shifted(timedelta(minutes=6)):
        _send(hub, sender)
    assert sender.count(HOOK) == 2
    assert b"given up" in sender.sent[1].body
    assert b"check of Front desk" in sender.sent[1].body
    assert [each.status for each in _messages(hub)] == ["sent", "sent"]


def test_pauses_between_groups_double_up_to_an_hour() -> None:
    moment = now()
    assert next_due([], moment) == moment
    earlier = [moment]
    pauses = []
    for _ in range(6):
        earlier.insert(0, next_due(earlier, earlier[0]))
        pauses.append((earlier[0] - earlier[1]) // timedelta(minutes=1))
    assert pauses == [5, 10, 20, 40, 60, 5]
    assert next_due([moment - timedelta(hours=2)], moment) == moment


def test_muted_alerts_are_not_told_and_told_when_the_mute_ends(hub: Hub, ada: Actor) -> None:
    _slack(hub, ada)
    _break_breaker(hub, ada)
    _look(hub)
    reading.mute(hub, ada, _alerts(hub)[0].id, until="hour")
    sender = ScriptedSender()
    _send(hub, sender)
    assert sender.sent == []
    assert _messages(hub) == []
    with shifted(timedelta(minutes=61)):
        _look(hub)
        _send(hub, sender)
    assert sender.count(HOOK) == 1


def test_a_mute_until_resolved_ends_with_the_alert(hub: Hub, ada: Actor) -> None:
    mend = _break_breaker(hub, ada)
    _look(hub)
    reading.mute(hub, ada, _alerts(hub)[0].id, until="resolved")
    mend()
    _look(hub)
    assert _alerts(hub)[0].muted_until is None


def test_only_the_chosen_kinds_are_told(hub: Hub, ada: Actor) -> None:
    _slack(hub, ada, alert_kinds=("check_failed",))
    _break_breaker(hub, ada)
    _look(hub)
    assert _messages(hub) == []


def test_members_never_hear_of_others_and_staff_by_choice(hub: Hub, ada: Actor) -> None:
    staff = make_user(hub, "sam@example.com", "staff")
    other = make_user(hub, "eve@example.com")
    _slack(hub, other, hears_all=True)
    quiet, loud = _slack(hub, staff), _slack(hub, staff, hears_all=True)
    _break_breaker(hub, ada)
    _look(hub)
    told = [each.channel_id for each in _messages(hub)]
    assert told == [loud]
    assert quiet not in told


def test_a_failed_hook_is_tried_six_times_and_shown(hub: Hub, ada: Actor) -> None:
    channel_id = _slack(hub, ada)
    _break_breaker(hub, ada)
    _look(hub)
    sender = ScriptedSender({HOOK: [answer(503)] * MOST_TRIES})
    passed = timedelta(0)
    for pause in (*PAUSES, timedelta(0)):
        with shifted(passed):
            _send(hub, sender)
            _send(hub, sender)
        passed += pause + SECOND
    assert sender.count(HOOK) == MOST_TRIES
    (message,) = _messages(hub)
    assert (message.status, message.due_at) == ("failed", None)
    (view,) = channels.list_channels(hub, ada)
    assert view.id == channel_id
    assert view.last_error
    assert "status 503" in view.last_error


def test_a_hook_that_is_gone_is_not_tried_again(hub: Hub, ada: Actor) -> None:
    _slack(hub, ada)
    _break_breaker(hub, ada)
    _look(hub)
    _send(hub, ScriptedSender({HOOK: [answer(404)]}))
    assert _messages(hub)[0].status == "failed"


def test_a_worker_that_dies_leaves_the_message_to_another(hub: Hub, ada: Actor) -> None:
    _slack(hub, ada)
    _break_breaker(hub, ada)
    _look(hub)
    assert len(claim_due(hub, 10)) == 1
    assert claim_due(hub, 10) == []
    sender = ScriptedSender()
    with shifted(timedelta(minutes=4)):
        _send(hub, sender)
    assert sender.count(HOOK) == 1


def test_no_secret_is_in_rows_views_and_messages(hub: Hub, ada: Actor) -> None:
    _slack(hub, ada)
    _break_breaker(hub, ada)
    _look(hub)
    _send(hub, ScriptedSender({HOOK: [answer(404, b"s3cr3t-hook")]}))
    with hub.database.read() as session:
        rows = [*session.exec(select(AlertChannel)), *session.exec(select(AlertMessage))]
    shown = channels.list_channels(hub, ada)
    assert "s3cr3t" not in repr(rows) + repr(shown)
    assert shown[0].reaches == "hooks.example.com/••••hook"


def test_quiet_hours_put_news_off_to_their_end(hub: Hub, ada: Actor) -> None:
    channel_id = _slack(hub, ada, quiet_from=22, quiet_to=7, zone="Europe/Berlin")
    with hub.database.read() as session:
        channel = session.get(AlertChannel, channel_id)
    assert channel
    night = datetime.fromisoformat("2026-01-10T23:30:00+00:00")
    assert after_quiet_hours(channel, night).isoformat() == "2026-01-11T06:00:00+00:00"
    noon = datetime.fromisoformat("2026-01-10T12:00:00+00:00")
    assert after_quiet_hours(channel, noon) == noon


def test_the_list_shows_own_alerts_only(hub: Hub, ada: Actor) -> None:
    _break_breaker(hub, ada)
    _look(hub)
    eve = make_user(hub, "eve@example.com")
    staff = make_user(hub, "sam@example.com", "staff")
    assert [each.owner for each in reading.list_alerts(hub, ada, AlertFilters()).rows] == [
        ada.email
    ]
    assert reading.list_alerts(hub, eve, AlertFilters()).rows == []
    assert (reading.count_open(hub, eve), reading.count_open(hub, staff)) == (0, 1)


def test_what_returns_moves_up_and_pages_are_whole(hub: Hub, ada: Actor) -> None:
    mend = _break_breaker(hub, ada)
    _look(hub)
    first = _alerts(hub)[0]
    mend()
    for number in range(1, 4):
        with shifted(number * SECOND):
            _fail_check(hub, ada)
            _look(hub)
    _set(hub, DestinationState, first.object_id, breaker="open")
    with shifted(timedelta(minutes=5)):
        _look(hub)
    shown, cursor = [], None
    while True:
        page = reading.list_alerts(hub, ada, AlertFilters("open"), cursor=cursor, limit=1)
        shown += [each.id for each in page.rows]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert shown[0] == first.id
    newest_last = [each.id for each in _alerts(hub) if each.id != first.id]
    assert shown[1:] == newest_last[::-1]
    with pytest.raises(InvalidInput):
        reading.list_alerts(hub, ada, AlertFilters(), cursor="alr_1")


def test_an_sms_channel_pauses_after_ten_in_an_hour(hub: Hub, ada: Actor) -> None:
    item = make_integration(hub, ada)
    draft = ChannelDraft("sms", "Phone", integration_id=item.id, number="+14155550142")
    channel_id = channels.add(hub, ada, draft)
    _break_breaker(hub, ada)
    _look(hub)
    for index in range(SMS_AN_HOUR):
        sent = now() - timedelta(minutes=index)
        _add(
            hub,
            AlertMessage(
                id=new_id("alm"),
                channel_id=channel_id,
                alert_ids=[],
                status="sent",
                attempts=1,
                created_at=sent,
                sent_at=sent,
            ),
        )
    assert claim_due(hub, 10) == []
    with shifted(timedelta(minutes=62)):
        assert len(claim_due(hub, 10)) == 1
