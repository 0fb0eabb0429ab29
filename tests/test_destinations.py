"""Destinations: adding, changing, revealing, testing and removing them, on both databases."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from lib.access import Actor
from lib.clock import now, shifted
from lib.errors import InvalidInput, NotAllowed, NotFound, RateLimited, SecretUnreadable
from lib.hub import Hub
from lib.models import AuditEntry, Delivery, Destination, DestinationState, Route
from lib.outgoing import destinations
from lib.outgoing.destination_figures import QUEUE_CAP, destination_overview, figures
from lib.outgoing.destination_secrets import open_secrets
from lib.outgoing.destination_views import DestinationDraft
from lib.outgoing.exchange import Exchange, Fault, Timings
from lib.outgoing.limits import Limits, limits_of
from lib.outgoing.trials import send_test
from lib.people.users import add_user
from lib.providers.targets import RateLimit, Reply
from lib.settings import decode_master_keys
from lib.vault import rotation
from lib.vault.row_secrets import open_secrets as open_entries
from lib.vault.seals import Vault
from tests.destination_factories import (
    API_KEY,
    TOKEN_PART,
    URL,
    SenderDouble,
    add_destination,
    add_route,
    make_delivery_rollup,
    queue_delivery,
    set_state,
    use_targets,
)
from tests.event_factories import make_event, make_integration
from tests.factories import make_user

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def sender(monkeypatch: pytest.MonkeyPatch) -> SenderDouble:
    return use_targets(monkeypatch)


def _row(hub: Hub, destination_id: str) -> Destination:
    with hub.database.read() as session:
        return session.get_one(Destination, destination_id)


def _state(hub: Hub, destination_id: str) -> DestinationState:
    with hub.database.read() as session:
        return session.get_one(DestinationState, destination_id)


def _deliveries(hub: Hub) -> dict[str, Delivery]:
    with hub.database.read() as session:
        return {row.id: row for row in session.exec(select(Delivery))}


def _audit(hub: Hub) -> list[AuditEntry]:
    with hub.database.read() as session:
        return list(session.exec(select(AuditEntry).order_by(AuditEntry.id)))


def _owner(hub: Hub, role: str = "member") -> Actor:
    email = f"{role}@example.org"
    return add_user(hub, email=email, name="Ada", role=role, password=PASSWORD)[0]


def test_an_address_is_sealed_and_shown_as_its_host(hub: Hub) -> None:
    issued = add_destination(hub, make_user(hub), kind="keyed_hook")
    shown = issued.destination
    row = _row(hub, shown.id)
    assert shown.url_host == row.url_host == "hooks.example.com:8443"
    assert shown.credentials == {
        "url": "••••" + URL[-4:],
        "api_key": "••••cdef",
        "signing_secret": "••••" + issued.signing_secret[-4:],
    }
    opened = open_secrets(hub.vault, row, now())
    assert (opened.url, opened.signing, opened.values) == (
        URL,
        (issued.signing_secret,),
        {"api_key": API_KEY},
    )


def test_a_sealed_address_does_not_open_on_another_row_or_table(hub: Hub) -> None:
    ada = make_user(hub)
    one, other = add_destination(hub, ada, "One"), add_destination(hub, ada, "Other")
    with hub.database.write() as session:
        row = session.get_one(Destination, other.destination.id)
        row.credentials = _row(hub, one.destination.id).credentials
    with pytest.raises(SecretUnreadable):
        open_secrets(hub.vault, _row(hub, other.destination.id), now())
    entry = _row(hub, one.destination.id).credentials["url"]
    with pytest.raises(SecretUnreadable):
        hub.vault.open(entry["sealed"], place=("integration_configs", one.destination.id, "url"))


def test_a_new_destination_starts_closed_with_a_full_budget(hub: Hub) -> None:
    ada = make_user(hub)
    state = _state(hub, add_destination(hub, ada, kind="keyed_hook").destination.id)
    assert (state.breaker, state.failures_in_row, state.times_opened) == ("closed", 0, 0)
    assert (state.blocked_until, state.tokens, state.window_count) == (None, 25.0, 0)
    assert now() - state.refilled_at < timedelta(minutes=1)
    slow = add_destination(hub, ada, "Slow", rate_limit={"per_second": 0.5})
    assert _state(hub, slow.destination.id).tokens == 1.0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "pigeon"}, "kind"),
        ({"name": " "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"url": ""}, "url"),
        ({"url": "http://plain.example.com"}, "url"),
        ({"url": "https://example.com/" + "x" * 2_000}, "url"),
        ({"values": {"shoe_size": "44"}}, "shoe_size"),
        ({"values": {"team": "red"}}, "team"),
        ({"values": {"signing_secret": "mine"}}, "signing_secret"),
        ({"values": {"url": "https://other.example.com"}}, "url"),
        ({"rate_limit": {"per_second": 0}}, "rate_limit"),
        ({"rate_limit": {"per_second": 1_001}}, "rate_limit"),
        ({"rate_limit": {"per_second": True}}, "rate_limit"),
        ({"rate_limit": {"per_second": float("nan")}}, "rate_limit"),
        ({"rate_limit": {"per_second": "5"}}, "rate_limit"),
        ({"rate_limit": {"per_five_minutes": 10}}, "rate_limit"),
        ({"rate_limit": {"per_second": 1, "per_five_minutes": 0}}, "rate_limit"),
        ({"rate_limit": {"per_second": 1, "per_day": 5}}, "rate_limit"),
        ({"concurrency": 0}, "concurrency"),
        ({"concurrency": 101}, "concurrency"),
    ],
)
def test_a_bad_value_names_its_field(sqlite_hub: Hub, change: dict[str, Any], field: str) -> None:
    ada = make_user(sqlite_hub)
    with pytest.raises(InvalidInput) as caught:
        add_destination(sqlite_hub, ada, **{"kind": "keyed_hook", **change})
    assert caught.value.field == field
    assert destinations.list_all(sqlite_hub, ada) == []


def test_limits_are_the_kinds_own_until_others_are_entered(hub: Hub) -> None:
    ada = make_user(hub)
    keyed = add_destination(hub, ada, kind="keyed_hook").destination
    assert limits_of(_row(hub, keyed.id)) == Limits(RateLimit(25.0, 9_000), 50)
    plain = add_destination(hub, ada).destination
    assert limits_of(_row(hub, plain.id)) == Limits(None, 50)
    draft = DestinationDraft("Slow", rate_limit={"per_second": 2}, concurrency=3)
    shown = destinations.update(hub, ada, keyed.id, draft=draft)
    assert shown.limits == limits_of(_row(hub, keyed.id)) == Limits(RateLimit(2.0), 3)


def test_a_blank_secret_is_kept_and_a_new_one_replaces_it(hub: Hub) -> None:
    ada = make_user(hub)
    issued = add_destination(hub, ada, kind="keyed_hook")
    draft = DestinationDraft("Renamed", url="  ", values={"api_key": "", "team": "7"})
    shown = destinations.update(hub, ada, issued.destination.id, draft=draft)
    opened = open_secrets(hub.vault, _row(hub, shown.id), now())
    assert (shown.name, opened.url) == ("Renamed", URL)
    assert opened.values == {"api_key": API_KEY, "team": "7"}
    assert opened.signing == (issued.signing_secret,)
    assert shown.credentials_set_at["url"] == issued.destination.credentials_set_at["url"]
    draft = DestinationDraft("Renamed", url="https://new.example.org/x")
    assert destinations.update(hub, ada, shown.id, draft=draft).url_host == "new.example.org"
    changed = {"host": {"before": "hooks.example.com:8443", "after": "new.example.org"}}
    assert _audit(hub)[-1].details == {"name": "Renamed", "fields": "url", "changes": changed}


def test_a_new_address_is_tried_although_the_old_one_was_given_up(hub: Hub) -> None:
    ada = make_user(hub)
    shown = add_destination(hub, ada).destination
    _disable(hub, shown.id)
    draft = DestinationDraft("Warehouse")
    assert destinations.update(hub, ada, shown.id, draft=draft).disabled_at is not None
    draft = DestinationDraft("Warehouse", url="https://new.example.org/x")
    assert destinations.update(hub, ada, shown.id, draft=draft).disabled_at is None
    assert _state(hub, shown.id).breaker == "closed"


def test_a_destination_that_answered_410_is_enabled_again(hub: Hub) -> None:
    ada = make_user(hub)
    shown = add_destination(hub, ada).destination
    _disable(hub, shown.id)
    assert figures(hub, ada, shown.id).state == "disabled"
    destinations.enable(hub, ada, shown.id)
    row, state = _row(hub, shown.id), _state(hub, shown.id)
    assert (row.disabled_at, row.disabled_reason) == (None, None)
    assert (state.breaker, state.failures_in_row, state.blocked_until) == ("closed", 0, None)


def test_a_pause_keeps_what_is_queued(hub: Hub) -> None:
    ada = make_user(hub)
    shown = add_destination(hub, ada).destination
    delivery_id = queue_delivery(hub, make_event(hub, make_integration(hub, ada)), shown)
    assert not destinations.pause(hub, ada, shown.id).is_active
    assert _deliveries(hub)[delivery_id].status == "pending"
    assert destinations.resume(hub, ada, shown.id).is_active


def test_the_secret_before_signs_along_for_a_day(hub: Hub) -> None:
    ada = make_user(hub)
    first = add_destination(hub, ada)
    destination_id = first.destination.id
    second = destinations.rotate_signing_secret(hub, ada, destination_id)
    row = _row(hub, destination_id)
    moment = now()
    assert second.signing_secret != first.signing_secret
    expected = (second.signing_secret, first.signing_secret)
    assert open_secrets(hub.vault, row, moment).signing == expected
    later = moment + timedelta(hours=24, seconds=1)
    assert open_secrets(hub.vault, row, later).signing == (second.signing_secret,)
    assert second.destination.previous_secret_expires_at is not None
    assert "previous_signing_secret" not in second.destination.credentials
    third = destinations.rotate_signing_secret(hub, ada, destination_id)
    assert open_secrets(hub.vault, _row(hub, destination_id), now()).signing == (
        third.signing_secret,
        second.signing_secret,
    )


def test_only_the_owner_sees_the_full_address_and_only_with_the_password(hub: Hub) -> None:
    ada, staff = _owner(hub), _owner(hub, "staff")
    shown = add_destination(hub, ada).destination
    with pytest.raises(NotAllowed, match="Only its owner"):
        destinations.reveal_url(hub, staff, shown.id, password=PASSWORD)
    bob = make_user(hub, "bob@example.com")
    with pytest.raises(NotFound):
        destinations.reveal_url(hub, bob, shown.id, password=PASSWORD)
    with pytest.raises(InvalidInput) as caught:
        destinations.reveal_url(hub, ada, shown.id, password="wrong")
    assert caught.value.field == "password"
    assert "destination.url_revealed" not in [entry.action for entry in _audit(hub)]
    assert destinations.reveal_url(hub, ada, shown.id, password=PASSWORD) == URL
    assert _audit(hub)[-1].action == "destination.url_revealed"
    own = add_destination(hub, staff).destination
    assert destinations.reveal_url(hub, staff, own.id, password=PASSWORD) == URL


def test_guessing_at_the_address_locks(sqlite_hub: Hub) -> None:
    ada = _owner(sqlite_hub)
    shown = add_destination(sqlite_hub, ada).destination
    for _ in range(5):
        with pytest.raises(InvalidInput):
            destinations.reveal_url(sqlite_hub, ada, shown.id, password="wrong")
    with pytest.raises(RateLimited):
        destinations.reveal_url(sqlite_hub, ada, shown.id, password=PASSWORD)
    with shifted(timedelta(minutes=2)):
        assert destinations.reveal_url(sqlite_hub, ada, shown.id, password=PASSWORD) == URL


def test_removal_cancels_what_is_open_and_keeps_what_is_finished(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(destinations, "_CANCEL_BATCH", 2)
    ada = make_user(hub)
    item = make_integration(hub, ada)
    shown, other = (add_destination(hub, ada, name).destination for name in ("One", "Other"))
    event_id = make_event(hub, item)
    add_route(hub, ada, item, shown)
    statuses = ["pending"] * 3 + ["retrying", "sending", "sending", "delivered", "dead"]
    ids = [queue_delivery(hub, event_id, shown, status=status) for status in statuses]
    kept = queue_delivery(hub, event_id, other)
    assert destinations.count_open(hub, ada, shown.id) == 6
    with pytest.raises(InvalidInput, match="Type the name"):
        destinations.remove(hub, ada, shown.id, typed_name="one")
    assert destinations.remove(hub, ada, shown.id, typed_name=" One ") == 6
    rows = _deliveries(hub)
    assert [rows[each].status for each in ids] == ["cancelled"] * 6 + ["delivered", "dead"]
    assert not [
        each
        for each in ids
        if rows[each].next_attempt_at or rows[each].lease_id or rows[each].lease_until
    ]
    assert all(rows[each].finished_at for each in ids)
    assert rows[kept].status == "pending"
    row = _row(hub, shown.id)
    assert (row.credentials, row.is_active, row.name) == ({}, False, "One")
    with pytest.raises(SecretUnreadable, match="was removed"):
        open_secrets(hub.vault, row, now())
    assert row.deleted_at is not None
    with hub.database.read() as session:
        assert session.exec(select(Route)).one().deleted_at is not None
    with pytest.raises(NotFound):
        destinations.get(hub, ada, shown.id)
    assert _audit(hub)[-1].details == {"name": "One", "cancelled": "6"}


def test_the_test_button_takes_the_same_way_as_a_delivery(hub: Hub, sender: SenderDouble) -> None:
    ada = make_user(hub)
    shown = add_destination(hub, ada, kind="keyed_hook").destination
    destinations.rotate_signing_secret(hub, ada, shown.id)
    trial = send_test(hub, ada, shown.id)
    (request,) = sender.requests
    assert request.url == URL
    assert request.headers["x-api-key"] == API_KEY
    assert request.headers["webhook-id"].startswith("dlv_")
    assert len(request.headers["webhook-signature"].split()) == 2
    assert b'"type":"hub.test"' in request.body
    assert b'"test":true' in request.body
    assert (trial.judgement.outcome, trial.status, trial.answer) == (
        "delivered",
        200,
        '{"ok": true}',
    )
    assert (trial.timings.total_ms, trial.sent_bytes) == (12.5, len(request.body))
    assert _deliveries(hub) == {}
    assert _audit(hub)[-1].details == {"name": "Warehouse", "outcome": "delivered"}


def test_a_failed_test_changes_nothing_and_is_not_tried_again(
    hub: Hub, sender: SenderDouble
) -> None:
    ada = make_user(hub)
    shown = add_destination(hub, ada).destination
    sender.reply = Reply(410, {}, b"gone")
    assert send_test(hub, ada, shown.id).judgement.outcome == "gone"
    fault = Fault("invalid_target", "The name leads to an inner address.", was_sent=False)
    sender.exchange = Exchange(Timings(1.0), fault=fault)
    trial = send_test(hub, ada, shown.id)
    assert (trial.judgement.error_class, trial.status, trial.answer) == ("invalid_target", None, "")
    assert len(sender.requests) == 2
    assert figures(hub, ada, shown.id).state == "active"


@pytest.mark.parametrize("slash", ["/", "\\/"])
def test_an_echo_of_the_request_shows_no_secret(
    sqlite_hub: Hub, sender: SenderDouble, slash: str
) -> None:
    ada = make_user(sqlite_hub)
    issued = add_destination(sqlite_hub, ada, kind="keyed_hook")
    echo = f"{URL.replace('/', slash)} {API_KEY} {issued.signing_secret} fine"
    sender.reply = Reply(200, {}, echo.encode() + b" x" * 20_000)
    answer = send_test(sqlite_hub, ada, issued.destination.id).answer
    for secret in (TOKEN_PART, "secret-query", API_KEY, issued.signing_secret):
        assert secret not in answer
    assert "fine" in answer
    assert len(answer) <= 16_384


def test_the_overview_shows_success_speed_and_queue(hub: Hub) -> None:
    ada = make_user(hub)
    item = make_integration(hub, ada)
    quiet, busy = (add_destination(hub, ada, name).destination for name in ("Quiet", "Busy"))
    for count, outcome, bucket in ((90, "delivered", 8), (6, "accepted", 8), (4, "dead", 40)):
        make_delivery_rollup(hub, busy, count, outcome=outcome, bucket=bucket)
    make_delivery_rollup(hub, busy, 50, outcome="retry", bucket=44)
    make_delivery_rollup(hub, busy, 999, outcome="dead", hour=now() - timedelta(hours=25))
    event_id = make_event(hub, item)
    for status, due_in in (("retrying", 9), ("pending", 5), ("sending", 0), ("dead", 0)):
        queue_delivery(hub, event_id, busy, status=status, due_in=timedelta(minutes=due_in))
    first, second = destination_overview(hub, ada).rows
    assert (first.destination.name, second.destination.name) == ("Busy", "Quiet")
    assert first.success_share == pytest.approx(0.96)
    assert first.p95_milliseconds == pytest.approx(2**11)
    assert first.queued == 2
    assert first.next_attempt_at is not None
    assert timedelta(minutes=4) < first.next_attempt_at - now() <= timedelta(minutes=5)
    assert (second.success_share, second.p95_milliseconds, second.queued) == (None, None, 0)
    assert second.next_attempt_at is None
    assert figures(hub, ada, quiet.id) == second


def test_a_long_queue_is_counted_to_its_cap_alone(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.outgoing.destination_figures.QUEUE_CAP", 3)
    ada = make_user(hub)
    shown = add_destination(hub, ada).destination
    event_id = make_event(hub, make_integration(hub, ada))
    for _ in range(7):
        queue_delivery(hub, event_id, shown)
    assert figures(hub, ada, shown.id).queued == 4
    assert QUEUE_CAP == 1_000


@pytest.mark.parametrize(
    ("breaker", "is_blocked", "state"),
    [
        ("closed", False, "active"),
        ("closed", True, "waiting"),
        ("open", True, "open"),
        ("open", False, "half_open"),
        ("half_open", False, "half_open"),
    ],
)
def test_a_state_has_its_name(hub: Hub, breaker: str, is_blocked: bool, state: str) -> None:
    ada = make_user(hub)
    shown = add_destination(hub, ada).destination
    until = now() + timedelta(minutes=1 if is_blocked else -1)
    set_state(hub, shown, breaker=breaker, blocked_until=until)
    found = figures(hub, ada, shown.id)
    assert (found.state, found.blocked_until) == (state, until if is_blocked else None)
    destinations.pause(hub, ada, shown.id)
    assert figures(hub, ada, shown.id).state == "paused"


def test_the_overview_is_paged_by_key(hub: Hub) -> None:
    ada = make_user(hub)
    ids = [add_destination(hub, ada, f"No {n}").destination.id for n in range(3)]
    page = destination_overview(hub, ada, limit=2)
    assert [row.destination.id for row in page.rows] == ids[:0:-1]
    rest = destination_overview(hub, ada, limit=2, cursor=page.next_cursor)
    assert ([row.destination.id for row in rest.rows], rest.next_cursor) == (ids[:1], None)


def test_keys_rotate_over_destinations_too(hub: Hub) -> None:
    ada = make_user(hub)
    issued = add_destination(hub, ada, kind="keyed_hook")
    make_integration(hub, ada)
    old = hub.vault
    both = Hub(hub.settings, hub.database, _with_new_key(hub))
    assert rotation.count_outdated(both) == 4
    done = rotation.reseal(both)
    assert (done.resealed, done.unreadable) == (4, ())
    assert rotation.count_outdated(both) == 0
    row = _row(hub, issued.destination.id)
    assert open_secrets(both.vault, row, now()).url == URL
    with pytest.raises(SecretUnreadable):
        open_entries(old, row)


def test_no_secret_is_in_what_is_shown_logged_or_recorded(
    sqlite_hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ada = _owner(sqlite_hub)
    issued = add_destination(sqlite_hub, ada, kind="keyed_hook")
    destination_id = issued.destination.id
    rotated = destinations.rotate_signing_secret(sqlite_hub, ada, destination_id)
    draft = DestinationDraft("Warehouse", url=URL, values={"api_key": API_KEY})
    shown = [
        draft,
        issued,
        rotated,
        destinations.update(sqlite_hub, ada, destination_id, draft=draft),
        destinations.pause(sqlite_hub, ada, destination_id),
        destinations.get(sqlite_hub, ada, destination_id),
        destinations.list_all(sqlite_hub, ada),
        destination_overview(sqlite_hub, ada).rows,
        send_test(sqlite_hub, ada, destination_id),
        open_secrets(sqlite_hub.vault, _row(sqlite_hub, destination_id), now()),
        _row(sqlite_hub, destination_id),
        destinations.reveal_url(sqlite_hub, ada, destination_id, password=PASSWORD) and "",
        _audit(sqlite_hub),
        caplog.text,
    ]
    secrets = (TOKEN_PART, "secret-query", API_KEY, issued.signing_secret, rotated.signing_secret)
    for each in shown:
        assert not [secret for secret in secrets if secret in repr(each)], each


def test_an_unknown_kind_is_refused_with_those_that_exist(sqlite_hub: Hub) -> None:
    with pytest.raises(InvalidInput, match="Use one of: plain_hook, keyed_hook"):
        add_destination(sqlite_hub, make_user(sqlite_hub), kind="pigeon")


def _disable(hub: Hub, destination_id: str) -> None:
    with hub.database.write() as session:
        row = session.get_one(Destination, destination_id)
        row.disabled_at, row.disabled_reason = now(), "It answered 410."
        state = session.get_one(DestinationState, destination_id)
        state.breaker, state.failures_in_row = "open", 7
        state.blocked_until = now() + timedelta(hours=1)


def _with_new_key(hub: Hub) -> Vault:
    keys = hub.settings.master_keys
    assert keys is not None
    return Vault([b"n" * 32, *decode_master_keys(keys.get_secret_value())])
