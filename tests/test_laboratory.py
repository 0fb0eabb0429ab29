"""Test addresses, the calculator, rehearsals of a route, and requests accepted by hand."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from lib.access import Actor
from lib.clock import shifted
from lib.errors import InvalidInput, NotAllowed, NotFound
from lib.events import reading as events
from lib.hub import Hub
from lib.intake import rejections
from lib.laboratory import acceptance, calculator, endpoints, route_trials
from lib.laboratory.calculator import Question
from lib.laboratory.endpoints import Behaviour
from lib.laboratory.reception import Arrived, keep_request, plan_answer
from lib.models import AuditEntry, TrialEndpoint, TrialRequest
from lib.outgoing import routes
from lib.outgoing.routes import RouteDraft
from lib.processing.batch import process_batch
from tests.destination_factories import API_KEY, add_destination, use_targets
from tests.event_factories import make_event, make_integration
from tests.factories import make_user
from tests.receiving import (
    Signed,
    connect,
    load_vectors,
    post,
    receiving,
    sign_form,
    stored_events,
)

TWILIO = load_vectors("twilio_signatures.json")["valid"]
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def member(hub: Hub) -> Actor:
    return make_user(hub)


def token_of(url: str) -> str:
    return url.rpartition("/")[2]


def test_an_address_lives_a_day_and_is_pruned_with_what_it_got(hub: Hub, member: Actor) -> None:
    with shifted(-timedelta(hours=24, minutes=1)):
        old = endpoints.add(hub, member, kind="bin", name="Old")
        plan = plan_answer(hub, token_of(old.url))
        keep_request(hub, plan, Arrived("POST", "", {}, b"x", "192.0.2.1"))
    fresh = endpoints.add(hub, member, kind="chaos", name="Fresh")
    assert [row.id for row in endpoints.list_all(hub, member)] == [fresh.id]
    with pytest.raises(NotFound):
        plan_answer(hub, token_of(old.url))
    with pytest.raises(NotFound):
        endpoints.list_requests(hub, member, old.id)
    with hub.database.read() as session:
        assert [row.id for row in session.exec(select(TrialEndpoint))] == [fresh.id]
        assert session.exec(select(TrialRequest)).all() == []
    assert endpoints.prune(hub) == 0
    with shifted(timedelta(hours=25)):
        assert endpoints.prune(hub) == 1


def test_the_token_is_not_kept_as_it_is_in_its_column(hub: Hub, member: Actor) -> None:
    item = endpoints.add(hub, member, kind="bin", name=" My   bin ")
    assert item.name == "My bin"
    with hub.database.read() as session:
        row = session.get_one(TrialEndpoint, item.id)
        entry = session.exec(select(AuditEntry)).one()
    assert token_of(item.url) != row.token_digest
    assert token_of(item.url) not in json.dumps(entry.details)


@pytest.mark.parametrize(
    ("behaviour", "field"),
    [
        (Behaviour(status=199), "status"),
        (Behaviour(status=600), "status"),
        (Behaviour(delay_seconds=31), "delay_seconds"),
        (Behaviour(delay_seconds=-1), "delay_seconds"),
        (Behaviour(failure_share=101), "failure_share"),
    ],
)
def test_a_behaviour_out_of_bounds_is_refused(
    hub: Hub, member: Actor, behaviour: Behaviour, field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        endpoints.add(hub, member, kind="chaos", name="Chaos", behaviour=behaviour)
    assert caught.value.field == field
    assert endpoints.list_all(hub, member) == []


def test_a_user_has_ten_at_most(hub: Hub, member: Actor) -> None:
    made = [endpoints.add(hub, member, kind="bin", name=f"Bin {n}") for n in range(10)]
    with pytest.raises(InvalidInput, match="10 test addresses"):
        endpoints.add(hub, member, kind="bin", name="One more")
    endpoints.remove(hub, member, made[0].id)
    endpoints.add(hub, member, kind="bin", name="One more")
    endpoints.add(hub, make_user(hub, "bob@example.com"), kind="bin", name="Bob's")


def test_members_own_theirs_and_staff_reach_all(hub: Hub, member: Actor) -> None:
    item = endpoints.add(hub, member, kind="bin", name="Bin")
    bob = make_user(hub, "bob@example.com")
    assert endpoints.list_all(hub, bob) == []
    for call in (endpoints.list_requests, endpoints.remove):
        with pytest.raises(NotFound):
            call(hub, bob, item.id)
        with pytest.raises(NotAllowed):
            call(hub, make_user(hub, f"{call.__name__}@example.com", "analyst"), item.id)
    staff = make_user(hub, "sam@example.com", "staff")
    assert [row.owner for row in endpoints.list_all(hub, staff)] == [member.email]
    endpoints.remove(hub, staff, item.id)
    assert endpoints.list_all(hub, member) == []


def test_a_share_of_failures_is_a_share(hub: Hub, member: Actor) -> None:
    behaviour = Behaviour(status=503, failure_share=50)
    item = endpoints.add(hub, member, kind="chaos", name="Half", behaviour=behaviour)
    seen = {plan_answer(hub, token_of(item.url)).status for _ in range(60)}
    assert seen == {200, 503}


@pytest.mark.parametrize(
    "vector",
    [each for each in TWILIO if each.get("form_params") and each["algorithm"] == "HMAC_SHA1"],
    ids=lambda each: each["id"],
)
def test_the_calculator_makes_twilios_published_signatures(
    hub: Hub, member: Actor, vector: dict[str, object]
) -> None:
    pairs = vector["form_params"]
    assert isinstance(pairs, list)
    text = "\n".join(f"{name}={value}" for name, value in pairs)
    question = Question(
        "twilio", str(vector["signed_url"]), FORM, text, {"auth_token": str(vector["token"])}
    )
    made = calculator.calculate(member, question)
    assert made.headers["x-twilio-signature"] == vector["signature"]
    assert made.base.startswith(str(vector["signed_url"]))


def test_the_calculator_makes_the_published_standard_webhook(hub: Hub, member: Actor) -> None:
    question = Question(
        "webhook",
        "https://example.com/",
        "application/json",
        '{"test": 2432232314}',
        {"signing_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp="1614265330",
    )
    made = calculator.calculate(member, question)
    expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert made.headers["webhook-signature"] == expected
    assert made.base == 'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}'
    with pytest.raises(InvalidInput):
        calculator.calculate(member, replace(question, values={"signing_secret": "whsec_!"}))


def test_the_calculator_masks_a_carried_secret_and_signs_nothing(hub: Hub, member: Actor) -> None:
    question = Question(
        "make", "https://example.com/", "application/json", "{}", {"inbound_secret": "s3cr3t-word"}
    )
    made = calculator.calculate(member, question)
    assert made.base == ""
    assert "s3cr3t-word" not in repr(made)
    assert {provider.slug for provider in calculator.calculable()} == {"twilio", "make", "webhook"}
    with pytest.raises(NotAllowed):
        calculator.calculate(make_user(hub, "ana@example.com", "analyst"), question)
    with hub.database.read() as session:
        assert session.exec(select(AuditEntry)).all() == []


def test_a_route_says_which_condition_keeps_an_event_out(
    hub: Hub, member: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_targets(monkeypatch)
    item = make_integration(hub, member)
    place = add_destination(hub, member, kind="keyed_hook").destination
    filters = [
        {"path": "data.From", "operator": "equals", "value": "+14155550123"},
        {"path": "data.Body", "operator": "contains", "value": "Goodbye"},
    ]
    draft = RouteDraft(item.id, place.id, ["message.received"], filters, "{event: type, id: id}")
    route = routes.add(hub, member, draft)
    event_id = make_event(hub, item)
    shown = route_trials.try_route(hub, member, route.id, event_id)
    assert [(each.text, each.is_met) for each in shown.conditions] == [
        ("the route is switched on", True),
        ("type message.received is one of: message.received", True),
        ("data.From equals +14155550123", True),
        ("data.Body contains Goodbye", False),
    ]
    assert not shown.is_taken
    assert json.loads(shown.body or "") == {"event": "message.received", "id": event_id}
    assert shown.headers["webhook-signature"] == "v1,[redacted]"
    assert API_KEY not in repr(shown.headers)
    with pytest.raises(NotFound):
        route_trials.try_route(hub, make_user(hub, "bob@example.com"), route.id, event_id)
    broken = replace(draft, filters=(), mapping="missing.field")
    routes.update(hub, member, route.id, broken)
    failed = route_trials.try_route(hub, member, route.id, event_id)
    assert failed.is_taken
    assert failed.body is None
    assert "yields nothing" in (failed.error or "")
    routes.pause(hub, member, route.id)
    assert not route_trials.try_route(hub, member, route.id, event_id).is_taken


def refuse(hub: Hub, member: Actor, service: str, signed: Signed) -> str:
    """Have a receiver refuse a request; return the id of what it kept."""
    issued = connect(hub, member, service)
    with receiving(hub) as client:
        answer = post(client, issued.integration.webhook_url, signed)
        assert answer.status_code in (400, 401, 403)
    return rejections.list_rejections(hub, member).rows[0].id


def test_staff_accept_a_refused_request_once(hub: Hub, member: Actor) -> None:
    fields = {"MessageSid": "SM1", "Body": "Hello", "From": "+14155550123"}
    rejection_id = refuse(hub, member, "twilio", sign_form("https://elsewhere/", fields))
    staff = make_user(hub, "sam@example.com", "staff")
    with pytest.raises(NotAllowed):
        acceptance.accept_once(hub, member, rejection_id)
    first = acceptance.accept_once(hub, staff, rejection_id)
    again = acceptance.accept_once(hub, staff, rejection_id)
    assert (first.is_duplicate, again) == (False, (first.id, True))
    while process_batch(hub):
        continue
    event = events.get_event(hub, member, first.id)
    assert (event.row.status, event.row.event_type) == ("success", "message.inbound")
    assert event.verification["scheme"] == "accepted by staff"
    assert event.verification["accepted by"] == staff.email
    with hub.database.read() as session:
        entry = session.exec(
            select(AuditEntry).where(AuditEntry.action == "rejection.accepted")
        ).one()
    assert entry.details == {"event": first.id}


def test_masked_ids_do_not_make_two_accepted_requests_one(hub: Hub, member: Actor) -> None:
    issued = connect(hub, member, "make")
    staff = make_user(hub, "sam@example.com", "staff")
    with receiving(hub) as client:
        for number in range(2):
            headers = {"content-type": "application/json", "idempotency-key": f"key-{number}"}
            body = json.dumps({"n": number}).encode()
            post(client, issued.integration.webhook_url, Signed(body, headers))
    ids = [row.id for row in rejections.list_rejections(hub, member).rows]
    assert len({acceptance.accept_once(hub, staff, each).id for each in ids}) == 2
    assert len(stored_events(hub)) == 2


def test_a_body_that_was_cut_or_unreadable_is_not_accepted(hub: Hub, member: Actor) -> None:
    staff = make_user(hub, "sam@example.com", "staff")
    long = Signed(b"x" * 20_000, {"content-type": "text/plain"})
    broken = Signed(b"{", {"content-type": "application/json"})
    for signed in (long, broken):
        rejection_id = refuse(hub, member, "make", signed)
        with pytest.raises(InvalidInput):
            acceptance.accept_once(hub, staff, rejection_id)
    assert stored_events(hub) == []
