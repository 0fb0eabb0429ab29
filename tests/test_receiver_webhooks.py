"""Webhooks as vendors send them, posted at a running receiver on both databases."""

import hashlib
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator

from lib.access import Actor
from lib.database import sqlite_path
from lib.hub import Hub
from tests.factories import make_user
from tests.receiving import (
    ACCOUNT,
    AUTH_TOKEN,
    LOCATION,
    Signed,
    connect,
    kept_rejections,
    load_vectors,
    post,
    receiving,
    sign,
    stored_events,
)

TWILIO = load_vectors("twilio_webhook_params.json")["fixtures"]
GHL = load_vectors("ghl_events.json")
EMPTY_TWIML = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
SERVICES = ("twilio", "gohighlevel", "make", "zapier", "webhook")
SMS: dict[str, Any] = TWILIO[0]["params"]
SAMPLES: dict[str, dict[str, Any]] = {
    "twilio": SMS,
    "gohighlevel": {"type": "ContactCreate", "locationId": LOCATION, "webhookId": "w-1"},
    "make": {"type": "order.created", "n": 1},
    "zapier": {"event": "form.submitted"},
    "webhook": {"type": "contact.created", "data": {"n": 1}},
}
REFUSED = {"twilio": 403, "gohighlevel": 401, "make": 401, "zapier": 401, "webhook": 401}
UNAVAILABLE = {"twilio": 503, "gohighlevel": 429, "make": 429, "zapier": 429, "webhook": 429}


@pytest.fixture
def member(hub: Hub) -> Actor:
    return make_user(hub)


def test_every_twilio_fixture_is_stored_once_and_answered(hub: Hub, member: Actor) -> None:
    issued = connect(hub, member, "twilio")
    with receiving(hub) as client:
        for _ in range(2):
            for fixture in TWILIO:
                answer = post(
                    client, issued.integration.webhook_url, sign(issued, fixture["params"])
                )
                if fixture["event"].endswith(".status"):
                    assert (answer.status_code, answer.content) == (204, b""), fixture["id"]
                else:
                    assert answer.status_code == 200, fixture["id"]
                    assert answer.headers["content-type"] == "text/xml"
                    assert answer.content == EMPTY_TWIML
    events = stored_events(hub)
    assert [event.event_type for event in events] == [fixture["event"] for fixture in TWILIO]
    assert [event.duplicates for event in events] == [1] * len(TWILIO)


def test_every_gohighlevel_sample_is_stored_once(hub: Hub, member: Actor) -> None:
    bodies = {json.dumps(item["body"]): item["body"] for item in GHL["official_and_real"]}
    by_location: dict[str, Any] = {}
    with receiving(hub) as client:
        for body in bodies.values():
            place = body.get("locationId") or body.get("altId") or LOCATION
            if place not in by_location:
                by_location[place] = connect(hub, member, "gohighlevel", location_id=place)
            signed = sign(by_location[place], body)
            url = by_location[place].integration.webhook_url
            first, again = post(client, url, signed), post(client, url, signed)
            assert first.status_code == 200
            assert first.json() == again.json()
    events = stored_events(hub)
    assert len(events) == len(bodies)
    assert [event.event_type for event in events] == [
        body.get("type") or "unknown" for body in bodies.values()
    ]


def test_gohighlevel_workflow_action_proves_itself_by_its_secret(hub: Hub, member: Actor) -> None:
    issued = connect(hub, member, "gohighlevel")
    body = json.dumps(GHL["workflow_webhook_action"]["body"]).encode()
    headers = {"content-type": "application/json", "x-hub-secret": issued.inbound_secret or ""}
    with receiving(hub) as client:
        url = issued.integration.webhook_url
        answers = [post(client, url, Signed(body, headers)) for _ in range(2)]
        refused = post(client, url, Signed(body, {**headers, "x-hub-secret": "no"}))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert refused.status_code == 401
    (event,) = stored_events(hub)
    assert event.payload == body
    assert issued.inbound_secret
    assert issued.inbound_secret not in event.headers


@pytest.mark.parametrize("service", ["gohighlevel", "make", "zapier", "webhook"])
def test_duplicate_gets_the_same_id(hub: Hub, member: Actor, service: str) -> None:
    issued = connect(hub, member, service)
    signed = sign(issued, SAMPLES[service])
    with receiving(hub) as client:
        answers = [post(client, issued.integration.webhook_url, signed) for _ in range(2)]
    (event,) = stored_events(hub)
    assert [answer.json()["id"] for answer in answers] == [event.id, event.id]
    assert [answer.status_code for answer in answers] == [200, 200]


@pytest.mark.parametrize("service", SERVICES)
def test_unproven_request_is_refused_and_kept_with_its_reason(
    hub: Hub, member: Actor, service: str
) -> None:
    issued = connect(hub, member, service)
    signed = sign(issued, SAMPLES[service])
    forged = Signed(signed.body.replace(b"1", b"2") + b" ", signed.headers)
    if service in ("make", "zapier"):
        forged = Signed(signed.body, {**signed.headers, "x-hub-secret": "guess"})
    bare = Signed(signed.body, {"content-type": signed.headers["content-type"]})
    with receiving(hub) as client:
        answers = [
            post(client, issued.integration.webhook_url, request) for request in (forged, bare)
        ]
    assert [answer.status_code for answer in answers] == [REFUSED[service]] * 2
    assert stored_events(hub) == []
    rows = kept_rejections(hub)
    assert [row.response_code for row in rows] == [REFUSED[service]] * 2
    assert rows[0].body == forged.body
    assert rows[0].message.endswith(".")
    for row, answer in zip(rows, answers, strict=True):
        assert row.message not in answer.text
        token = issued.integration.webhook_url.rpartition("/")[2]
        assert token not in row.facts + row.message + row.headers


def test_another_location_is_refused_although_highlevel_signed_it(hub: Hub, member: Actor) -> None:
    issued = connect(hub, member, "gohighlevel")
    signed = sign(issued, {**SAMPLES["gohighlevel"], "locationId": "another"})
    with receiving(hub) as client:
        assert post(client, issued.integration.webhook_url, signed).status_code == 401
    assert stored_events(hub) == []
    assert len(kept_rejections(hub)) == 1


@pytest.mark.parametrize("service", SERVICES)
def test_too_large_body_is_refused_and_kept(hub: Hub, member: Actor, service: str) -> None:
    issued = connect(hub, member, service)
    signed = Signed(b"x" * 2_000, {"content-type": "application/json"})
    with receiving(hub, max_body_bytes=1_000) as client:
        assert post(client, issued.integration.webhook_url, signed).status_code == 413
    (row,) = kept_rejections(hub)
    assert (row.reason, row.response_code) == ("too_large", 413)


@pytest.mark.parametrize("service", ["gohighlevel", "make", "zapier"])
def test_malformed_json_is_refused_and_kept(hub: Hub, member: Actor, service: str) -> None:
    issued = connect(hub, member, service)
    signed = sign(issued, {})
    broken = b'{"type": '
    headers = dict(signed.headers)
    if service == "gohighlevel":
        headers["x-hub-secret"] = issued.inbound_secret or ""
        del headers["x-ghl-signature"]
    with receiving(hub) as client:
        answer = post(client, issued.integration.webhook_url, Signed(broken, headers))
    assert answer.status_code == 400
    (row,) = kept_rejections(hub)
    assert (row.reason, row.body) == ("malformed", broken)


def test_twilio_get_carries_its_parameters_in_the_query(hub: Hub, member: Actor) -> None:
    issued = connect(hub, member, "twilio")
    query = urlencode(SMS)
    url = f"{issued.integration.webhook_url}?{query}"
    headers = {"x-twilio-signature": RequestValidator(AUTH_TOKEN).compute_signature(url, {})}
    with receiving(hub) as client:
        answer = client.get(url.partition(":8000")[2], headers=headers)
    assert answer.status_code == 200
    (event,) = stored_events(hub)
    assert event.payload == query.encode()
    assert event.event_type == "message.inbound"


def test_twilio_json_is_proven_by_signature_and_hash(hub: Hub, member: Actor) -> None:
    issued = connect(hub, member, "twilio")
    body = json.dumps({"AccountSid": ACCOUNT, "n": "ñ"}).encode()
    url = f"{issued.integration.webhook_url}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = RequestValidator(AUTH_TOKEN).compute_signature(url, {})
    headers = {"content-type": "application/json", "x-twilio-signature": signature}
    with receiving(hub) as client:
        assert post(client, url, Signed(body, headers)).status_code == 200
        assert post(client, url, Signed(body + b" ", headers)).status_code == 403
    assert len(stored_events(hub)) == 1


def test_person_who_opens_the_address_is_told_what_it_is(hub: Hub, member: Actor) -> None:
    issued = connect(hub, member, "make")
    with receiving(hub) as client:
        answer = client.get(issued.integration.webhook_url.partition(":8000")[2])
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert "Paste it" in answer.json()["detail"]


@pytest.mark.parametrize("service", SERVICES)
def test_locked_database_puts_the_sender_off(
    sqlite_hub: Hub, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.intake.sink_sqlite._BUSY_MILLISECONDS", 20)
    issued = connect(sqlite_hub, make_user(sqlite_hub), service)
    signed = sign(issued, SAMPLES[service])
    with receiving(sqlite_hub) as client:
        with sqlite_hub.database.write():
            answer = post(client, issued.integration.webhook_url, signed)
        assert answer.status_code == UNAVAILABLE[service]
        assert int(answer.headers["retry-after"]) > 0
        assert post(client, issued.integration.webhook_url, signed).is_success
    assert len(stored_events(sqlite_hub)) == 1


def test_database_that_is_gone_puts_the_sender_off(sqlite_hub: Hub) -> None:
    issued = connect(sqlite_hub, make_user(sqlite_hub), "make")
    path = sqlite_path(sqlite_hub.database.url)
    with receiving(sqlite_hub) as client:
        aside = path.rename(path.with_suffix(".aside"))
        answer = post(client, issued.integration.webhook_url, sign(issued, SAMPLES["make"]))
        aside.rename(path)
        assert answer.status_code == 429
        again = post(client, issued.integration.webhook_url, sign(issued, SAMPLES["make"]))
        assert again.status_code == 200


def test_rejections_over_the_limit_are_counted_not_kept(hub: Hub, member: Actor) -> None:
    issued = connect(hub, member, "make")
    forged = Signed(b"{}", {"content-type": "application/json", "x-hub-secret": "guess"})
    with receiving(hub) as client:
        for _ in range(70):
            assert post(client, issued.integration.webhook_url, forged).status_code == 401
        metrics = client.get("/metrics").text
    assert len(kept_rejections(hub)) == 60
    assert 'hub_webhook_requests_total{outcome="bad_signature",service="make"} 70.0' in metrics
