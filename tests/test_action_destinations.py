"""Destinations that are actions: bound to one owner, run by the worker, never sent twice."""

import json
import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from lib import http
from lib.access import Actor
from lib.clock import now
from lib.connections import integrations
from lib.connections.integrations import Integration
from lib.errors import InvalidInput, NotAllowed, NotFound
from lib.hub import Hub
from lib.models import (
    ApiCall,
    Delivery,
    Destination,
    EventKey,
    Issue,
    SearchDocument,
    WebhookEvent,
)
from lib.outgoing import destinations, issues, manual_sends, rehearsals, routes, trials
from lib.outgoing.claims import Claimed, Lease, claim, release_expired
from lib.outgoing.destination_views import DestinationDraft, DestinationView
from lib.outgoing.interrupted import bury_claimed, bury_expired
from lib.outgoing.routes import RouteDraft
from lib.processing.batch import process_batch
from lib.providers.actions import Action, ActionCall, ActionInput
from lib.providers.registry import get_provider
from tests.acting import PHONE, Vendors, connect_twilio, near, vendors
from tests.delivering import (
    ScriptedSender,
    attempts_of,
    deliver,
    get_delivery,
    make_due,
    queue,
    state_of,
    waits,
)
from tests.event_factories import make_event, make_integration
from tests.factories import make_user
from tests.fakes import twilio
from tests.fakes.trouble import BUSY_SECONDS
from tests.networks import NameServer

MAPPING = "{to: data.From, body: join('', ['You wrote: ', data.Body])}"


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


@pytest.fixture
def item(acting: Hub, ada: Actor) -> Integration:
    return connect_twilio(acting, ada)


def draft(item: Integration, action: str = "send_message", **more: Any) -> DestinationDraft:
    return DestinationDraft(name="Reply", integration_id=item.id, action=action, **more)


def add(hub: Hub, actor: Actor, item: Integration, action: str = "send_message") -> DestinationView:
    issued = destinations.add(hub, actor, kind="action", draft=draft(item, action))
    assert issued.signing_secret is None
    return issued.destination


def row_of(hub: Hub, destination: DestinationView) -> Destination:
    with hub.database.read() as session:
        return session.get_one(Destination, destination.id)


def queue_one(
    hub: Hub, item: Integration, destination: DestinationView, mapping: str | None = MAPPING
) -> str:
    (delivery_id,) = queue(hub, item, make_event(hub, item), destination=row_of(hub, destination))
    with hub.database.write() as session:
        session.get_one(Delivery, delivery_id).mapping = mapping
    return delivery_id


def run_until_attempted(hub: Hub, delivery_id: str, attempts: int = 1) -> Delivery:
    sender = ScriptedSender()
    deliver(hub, sender, until=lambda: len(attempts_of(hub, delivery_id)) >= attempts)
    assert sender.sent == []
    return get_delivery(hub, delivery_id)


def sent(fakes: Vendors) -> list[dict[str, str]]:
    found: list[dict[str, str]] = fakes.apps["twilio"].state.sent
    return found


def use_token(hub: Hub, ada: Actor, item: Integration, token: str) -> None:
    values = {**item.config_data, "auth_token": token}
    integrations.update(hub, ada, item.id, name=item.name, values=values)


def test_it_is_bound_to_an_action_and_has_no_secret(
    acting: Hub, ada: Actor, item: Integration
) -> None:
    made = add(acting, ada, item)
    assert (made.kind, made.integration_id, made.action) == ("action", item.id, "send_message")
    assert (made.url_host, made.credentials) == ("Twilio: Send a message", {})
    assert made.limits.concurrency == 8
    assert row_of(acting, made).config_data == {
        "integration_id": item.id,
        "action": "send_message",
    }


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"integration_id": ""}, "integration_id"),
        ({"action": ""}, "action"),
        ({"action": "explode"}, "action"),
        ({"url": "https://example.com/x"}, "url"),
        ({"name": ""}, "name"),
    ],
)
def test_a_bad_draft_names_its_field(
    acting: Hub, ada: Actor, item: Integration, changes: dict[str, str], field: str
) -> None:
    given = {"name": "Reply", "integration_id": item.id, "action": "send_message", **changes}
    with pytest.raises(InvalidInput) as caught:
        destinations.add(acting, ada, kind="action", draft=DestinationDraft(**given))
    assert caught.value.field == field
    assert destinations.list_all(acting, ada) == []


def test_another_members_integration_cannot_be_used(
    acting: Hub, ada: Actor, item: Integration
) -> None:
    bob = make_user(acting, "bob@example.com")
    with pytest.raises(NotFound):
        add(acting, bob, item)
    analyst = make_user(acting, "ana@example.com", "analyst")
    with pytest.raises(NotAllowed):
        add(acting, analyst, item)
    staff = make_user(acting, "sam@example.com", "staff")
    made = add(acting, staff, item)
    assert (made.user_id, made.owner) == (ada.id, ada.email)
    others = connect_twilio(acting, bob)
    with pytest.raises(InvalidInput, match="belongs to another member"):
        destinations.update(acting, staff, made.id, draft=draft(others))
    with pytest.raises(NotFound):
        destinations.update(acting, ada, made.id, draft=draft(others))


def test_an_edit_keeps_or_changes_the_action(acting: Hub, ada: Actor, item: Integration) -> None:
    made = add(acting, ada, item)
    kept = destinations.update(
        acting, ada, made.id, draft=DestinationDraft("Renamed", concurrency=2)
    )
    assert (kept.name, kept.action, kept.limits.concurrency) == ("Renamed", "send_message", 2)
    changed = destinations.update(acting, ada, made.id, draft=draft(item, "place_call"))
    assert (changed.action, changed.url_host) == ("place_call", "Twilio: Place a call")


def test_what_needs_an_address_or_a_secret_is_refused_in_words(
    acting: Hub, ada: Actor, item: Integration
) -> None:
    made = add(acting, ada, item)
    with pytest.raises(InvalidInput, match="no signing secret"):
        destinations.rotate_signing_secret(acting, ada, made.id)
    with pytest.raises(InvalidInput, match="no address"):
        destinations.reveal_url(acting, ada, made.id, password="x")
    with pytest.raises(InvalidInput, match="under Actions"):
        trials.send_test(acting, ada, made.id)


def test_a_route_to_an_action_needs_a_mapping(acting: Hub, ada: Actor, item: Integration) -> None:
    made = add(acting, ada, item)
    with pytest.raises(InvalidInput, match="needs a mapping") as caught:
        routes.add(acting, ada, RouteDraft(item.id, made.id))
    assert caught.value.field == "mapping"
    assert routes.add(acting, ada, RouteDraft(item.id, made.id, mapping=MAPPING)).mapping


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        (MAPPING, None),
        ("{to: 'nobody', body: 'x'}", "To is not right"),
        ("{body: 'x'}", "To is missing"),
        ("data.Body", "one JSON object"),
    ],
)
def test_a_preview_says_what_the_action_would_not_take(
    acting: Hub, ada: Actor, item: Integration, mapping: str, words: str | None
) -> None:
    made = add(acting, ada, item)
    make_event(acting, item)
    shown = rehearsals.preview(acting, ada, RouteDraft(item.id, made.id, mapping=mapping))
    assert shown is not None
    assert shown.result is not None
    assert (words or "") in (shown.error or "")
    assert (shown.error is None) == (words is None)


def test_an_event_is_not_sent_past_its_mapping(acting: Hub, ada: Actor, item: Integration) -> None:
    made, event_id = add(acting, ada, item), make_event(acting, item)
    assert manual_sends.send_choices(acting, ada, event_id) == {}
    with pytest.raises(NotFound):
        manual_sends.send_event(acting, ada, event_id, made.id)


def test_an_incoming_message_is_answered_by_a_route(
    acting: Hub, ada: Actor, item: Integration, fakes: Vendors
) -> None:
    made = add(acting, ada, item)
    routes.add(acting, ada, RouteDraft(item.id, made.id, mapping=MAPPING))
    delivery_id = queue_one(acting, item, made)
    row = run_until_attempted(acting, delivery_id)
    assert (row.status, row.response_status, row.last_error) == ("delivered", 200, None)
    (form,) = sent(fakes)
    assert (form["To"], form["Body"]) == (PHONE, "You wrote: Hallo Grace Hopper")
    assert form["StatusCallback"] == item.webhook_url
    (attempt,) = attempts_of(acting, delivery_id)
    assert json.loads(attempt.response_body)["status"] == "queued"
    assert json.loads(attempt.request_headers) == {}
    with acting.database.read() as session:
        assert [call.status for call in session.exec(select(ApiCall))] == [201]


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ("{to: 'nobody', body: data.Body}", "To is not right"),
        ("{body: data.Body}", "To is missing"),
        ("data.Body", "one JSON object"),
        (None, "To is missing"),
    ],
)
def test_a_mapping_that_yields_no_input_is_dead_with_the_reason(
    acting: Hub, ada: Actor, item: Integration, fakes: Vendors, mapping: str | None, words: str
) -> None:
    delivery_id = queue_one(acting, item, add(acting, ada, item), mapping)
    row = run_until_attempted(acting, delivery_id)
    assert (row.status, row.error_class) == ("dead", "config")
    assert words in (row.last_error or "")
    assert sent(fakes) == []
    assert issues.list_issues(acting, ada).rows


def test_what_is_no_text_is_never_asked_of_the_service(
    acting: Hub, ada: Actor, item: Integration, fakes: Vendors
) -> None:
    place = row_of(acting, add(acting, ada, item))
    event_id = make_event(acting, item, payload={"From": PHONE, "Body": "odd \ud800"})
    (delivery_id,) = queue(acting, item, event_id, destination=place)
    with acting.database.write() as session:
        session.get_one(Delivery, delivery_id).mapping = "{to: data.From, body: data.Body}"
    row = run_until_attempted(acting, delivery_id)
    assert (row.status, row.error_class) == ("dead", "config")
    assert "no text" in (row.last_error or "")
    assert sent(fakes) == []


@pytest.mark.parametrize(
    ("token", "status", "error_class", "words"),
    [
        ("MAGIC429", "retrying", "http_429", "no more requests"),
        (twilio.FAILING_TOKEN, "retrying", "http_5xx", "fault on its side"),
        ("MAGIC500", "dead", "http_5xx", "may have been done"),
        ("MAGICSLOW", "dead", "timeout", "may have been done"),
        ("MAGICBROKEN", "dead", "connect", "may have been done"),
        ("wrong", "dead", "http_4xx", "refused the credentials"),
    ],
)
def test_a_message_is_only_repeated_when_it_certainly_was_not_sent(
    acting: Hub,
    ada: Actor,
    item: Integration,
    token: str,
    status: str,
    error_class: str,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "READ_SECONDS", 0.3)
    use_token(acting, ada, item, token)
    delivery_id = queue_one(acting, item, add(acting, ada, item))
    row = run_until_attempted(acting, delivery_id)
    assert (row.status, row.error_class) == (status, error_class)
    assert words in (row.last_error or "")
    assert token not in (row.last_error or "")


def test_a_vendor_that_asks_to_wait_is_not_called_before(
    acting: Hub, ada: Actor, item: Integration
) -> None:
    use_token(acting, ada, item, "MAGICBUSY")
    begun, place = now(), add(acting, ada, item)
    delivery_id = queue_one(acting, item, place)
    row = run_until_attempted(acting, delivery_id)
    asked = timedelta(seconds=BUSY_SECONDS)
    assert row.status == "retrying"
    assert asked <= waits(row, begun) < asked + timedelta(seconds=60)
    blocked_until = state_of(acting, row_of(acting, place)).blocked_until
    assert blocked_until
    assert blocked_until >= begun + asked


def assert_asked_again_when_the_name_is_unknown(
    hub: Hub, delivery_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    NameServer(monkeypatch)
    row = run_until_attempted(hub, delivery_id)
    assert (row.status, row.error_class) == ("retrying", "connect")
    assert "may have been done" not in (row.last_error or "")


def test_trap_14_a_message_waits_for_the_name_of_the_vendor(
    hub: Hub, ada: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = hub.settings.model_copy(update={"twilio_api_url": "https://no.example"})
    acting = Hub(settings=settings, database=hub.database, vault=hub.vault)
    item = connect_twilio(acting, ada)
    delivery_id = queue_one(acting, item, add(acting, ada, item))
    assert_asked_again_when_the_name_is_unknown(acting, delivery_id, monkeypatch)


def test_trap_14_a_hook_waits_for_the_name_of_the_vendor(
    hub: Hub, ada: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"hook_url": "https://hooks.zapier.com/hooks/catch/1/a/"}
    item = integrations.add(hub, ada, service_name="zapier", name="Zap", values=values).integration
    delivery_id = queue_one(hub, item, add(hub, ada, item, "trigger_hook"), "{data: data}")
    assert_asked_again_when_the_name_is_unknown(hub, delivery_id, monkeypatch)


def test_what_was_not_sent_goes_out_later(
    acting: Hub, ada: Actor, item: Integration, fakes: Vendors
) -> None:
    use_token(acting, ada, item, "MAGIC429")
    delivery_id = queue_one(acting, item, add(acting, ada, item))
    run_until_attempted(acting, delivery_id)
    use_token(acting, ada, item, twilio.AUTH_TOKEN)
    make_due(acting, delivery_id)
    row = run_until_attempted(acting, delivery_id, attempts=2)
    assert (row.status, row.attempts, len(sent(fakes))) == ("delivered", 2, 1)


def test_reading_is_repeated_whenever_it_may_help(
    acting: Hub, ada: Actor, item: Integration
) -> None:
    use_token(acting, ada, item, "MAGIC500")
    delivery_id = queue_one(
        acting, item, add(acting, ada, item, "list_messages"), "{page_size: `1`}"
    )
    assert run_until_attempted(acting, delivery_id).status == "retrying"


def test_a_paused_integration_keeps_its_deliveries(
    acting: Hub, ada: Actor, item: Integration, fakes: Vendors
) -> None:
    delivery_id = queue_one(acting, item, add(acting, ada, item))
    integrations.pause(acting, ada, item.id)
    row = run_until_attempted(acting, delivery_id)
    assert (row.status, sent(fakes)) == ("retrying", [])
    assert "Resume it first" in (row.last_error or "")
    integrations.resume(acting, ada, item.id)
    make_due(acting, delivery_id)
    assert run_until_attempted(acting, delivery_id, attempts=2).status == "delivered"


def test_a_missing_setting_of_the_integration_is_said(
    acting: Hub, ada: Actor, item: Integration
) -> None:
    values = {name: text for name, text in item.config_data.items() if name != "from_number"}
    integrations.update(acting, ada, item.id, name=item.name, values=values)
    row = run_until_attempted(acting, queue_one(acting, item, add(acting, ada, item)))
    assert (row.status, row.error_class) == ("dead", "config")
    assert "sender is missing" in (row.last_error or "")


def test_a_removed_integration_ends_them_in_words(
    acting: Hub, ada: Actor, item: Integration
) -> None:
    # Events of the removed one itself are cancelled; those of another still come to its action.
    other = make_integration(acting, ada, "Other")
    delivery_id = queue_one(acting, other, add(acting, ada, item))
    integrations.remove(acting, ada, item.id, typed_name=item.name)
    row = run_until_attempted(acting, delivery_id)
    assert (row.status, row.error_class) == ("dead", "config")
    assert "was removed" in (row.last_error or "")


def lose_the_worker(hub: Hub, delivery_id: str) -> Sequence[Claimed]:
    """Claim as a worker that dies before it can say what came of it."""
    moment = now() - timedelta(minutes=2)
    make_lease = Lease("lea_lost", now(), moment)
    with hub.database.write() as session:
        claimed = claim(session, make_lease, capacity=9).claimed
    assert [each.id for each in claimed] == [delivery_id]
    return claimed


def test_a_message_whose_worker_was_lost_is_not_sent_again(
    acting: Hub, ada: Actor, item: Integration
) -> None:
    delivery_id = queue_one(acting, item, add(acting, ada, item))
    lose_the_worker(acting, delivery_id)
    with acting.database.write() as session:
        assert bury_expired(session, now()) == 1
        assert release_expired(session, now()) == 0
    row = get_delivery(acting, delivery_id)
    assert (row.status, row.lease_id, row.attempts) == ("dead", None, 1)
    assert "may have been done" in (row.last_error or "")
    with acting.database.write() as session:
        assert bury_expired(session, now()) == 0
        assert len(session.exec(select(Issue)).all()) == 1
    assert len(attempts_of(acting, delivery_id)) == 1


def test_a_worker_that_stops_gives_no_message_back(
    acting: Hub, ada: Actor, item: Integration
) -> None:
    delivery_id = queue_one(acting, item, add(acting, ada, item))
    claimed = lose_the_worker(acting, delivery_id)
    with acting.database.write() as session:
        assert bury_claimed(session, claimed, now()) == 1
    assert get_delivery(acting, delivery_id).status == "dead"


def test_a_look_up_whose_worker_was_lost_is_made_again(
    acting: Hub, ada: Actor, item: Integration
) -> None:
    delivery_id = queue_one(
        acting, item, add(acting, ada, item, "list_messages"), "{page_size: `1`}"
    )
    lose_the_worker(acting, delivery_id)
    with acting.database.write() as session:
        assert bury_expired(session, now()) == 0
        assert release_expired(session, now()) == 1
    assert run_until_attempted(acting, delivery_id).status == "delivered"


class _Broken(Action):
    name = "send_message"
    label = "Break"
    help = "Fails after it was done."
    effect = "send"
    input = ActionInput

    def run(self, given: Any, call: ActionCall) -> Any:
        raise KeyError("an answer of an unforeseen shape")


def test_a_fault_of_ours_after_sending_is_not_repeated(
    acting: Hub, ada: Actor, item: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery_id = queue_one(acting, item, add(acting, ada, item), "@.{a: `null`} && `{}`")
    monkeypatch.setattr(type(get_provider("twilio")), "actions", (_Broken(),))
    row = run_until_attempted(acting, delivery_id)
    assert (row.status, row.error_class) == ("dead", "config")
    assert "may have been done" in (row.last_error or "")


class _Waiting(_Broken):
    """Takes until its gate opens, and counts how many wait there."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.started: list[int] = []

    def run(self, given: Any, call: ActionCall) -> Any:
        self.started.append(threading.get_ident())
        self.gate.wait(10)
        return {}


def test_a_slow_action_holds_up_no_other_destination(
    acting: Hub, ada: Actor, item: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, quick = add(acting, ada, item), add(acting, ada, item, "list_messages")
    provider, waiting = get_provider("twilio"), _Waiting()
    others = [each for each in provider.actions if each.name != "send_message"]
    monkeypatch.setattr(type(provider), "actions", (waiting, *others))
    slow_ids = [queue_one(acting, item, slow, "`{}`") for _ in range(20)]
    quick_ids = [queue_one(acting, item, quick, "{page_size: `1`}") for _ in range(3)]
    started_first: list[int] = []

    def until() -> bool:
        done = [get_delivery(acting, each).status == "delivered" for each in quick_ids]
        if all(done) and not waiting.gate.is_set():
            started_first.append(len(waiting.started))
            waiting.gate.set()
        return all(done) and all(attempts_of(acting, each) for each in slow_ids)

    deliver(acting, ScriptedSender(), until=until)
    assert started_first == [slow.limits.concurrency]
    assert {get_delivery(acting, each).status for each in slow_ids} == {"delivered"}
    assert state_of(acting, row_of(acting, slow)).breaker == "closed"


def test_a_route_carries_its_mapping_to_the_delivery(
    acting: Hub, ada: Actor, item: Integration, fakes: Vendors
) -> None:
    made = add(acting, ada, item)
    routes.add(acting, ada, RouteDraft(item.id, made.id, mapping=MAPPING))
    event_id = make_event(acting, item)
    with acting.database.write() as session:
        for table in (EventKey, SearchDocument):
            for each in session.exec(select(table).where(table.event_id == event_id)):
                session.delete(each)
        session.get_one(WebhookEvent, event_id).status = "pending"
    assert process_batch(acting) == 1
    with acting.database.read() as session:
        (delivery,) = session.exec(select(Delivery)).all()
    assert run_until_attempted(acting, delivery.id).status == "delivered"
    assert len(sent(fakes)) == 1
