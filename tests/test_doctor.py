"""The signature doctor: the cause of each mistake, as really posted to a receiver, and its fix."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from lib.access import Actor
from lib.clock import shifted
from lib.connections import integrations
from lib.connections.integrations import Issued
from lib.errors import InvalidInput, NotAllowed, NotFound
from lib.hub import Hub
from lib.intake import rejections
from lib.laboratory import doctor
from lib.models import AuditEntry, IntegrationConfig
from lib.providers.standard_webhooks import decode_base64, hmac_signature, signed_content
from lib.providers.twilio.signature import sign as twilio_sign
from lib.vault.row_secrets import open_values
from tests.factories import make_user
from tests.receiving import (
    ACCOUNT,
    AUTH_TOKEN,
    HIGHLEVEL_KEY,
    LOCATION,
    Signed,
    connect,
    receiving,
    sign_form,
    stored_events,
    trusting,
)

PUBLIC_URL = "https://hub.example.com"
OTHER_TOKEN = "fedcba9876543210fedcba9876543210"
OTHER_ACCOUNT = "AC00000000000000000000000000000002"
FORM = "application/x-www-form-urlencoded"
SMS = {
    "MessageSid": "SM1",
    "AccountSid": ACCOUNT,
    "From": "+14155550123",
    "To": "+15005550006",
    "Body": "Hello ",
    "FromCity": "",
    "FromState": "",
    "ToCity": "",
    "SmsStatus": "received",
}
CONTACT = {
    "type": "ContactCreate",
    "locationId": LOCATION,
    "webhookId": "wh-1",
    "tags": ["a", "b"],
    "name": "Ada Byron",
}


@dataclass(frozen=True)
class Bench:
    """A member with an integration, a second one of the service, and a receiver to post to."""

    hub: Hub
    member: Actor
    client: TestClient
    issued: Issued
    other: Issued

    @property
    def url(self) -> str:
        return self.issued.integration.webhook_url

    def post(self, signed: Signed, *, query: str = "", **headers: str) -> None:
        path = "/api/" + self.url.partition("/api/")[2]
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        answer = self.client.post(
            path + query, content=signed.body, headers={**signed.headers, **named}
        )
        assert answer.status_code in (401, 403)

    def report(self) -> doctor.Report:
        (row,) = rejections.list_rejections(self.hub, self.member).rows[:1]
        return doctor.examine(self.hub, self.member, row.id)

    def causes(self) -> list[str]:
        report = self.report()
        assert report.diagnosis, report.unexamined
        return [finding.cause for finding in report.diagnosis.findings]


def form(fields: Mapping[str, str], signature: str, content_type: str = FORM) -> Signed:
    headers = {"content-type": content_type, "x-twilio-signature": signature}
    return Signed(urlencode(fields).encode(), headers)


def json_signed(url: str, body: bytes, signed_body: bytes | None = None) -> tuple[Signed, str]:
    """Return a JSON request and its query, signed by the hash of `signed_body`."""
    query = f"?bodySHA256={hashlib.sha256(signed_body or body).hexdigest()}"
    signature = twilio_sign(url + query, [], secret=AUTH_TOKEN)
    headers = {"content-type": "application/json", "x-twilio-signature": signature}
    return Signed(body, headers), query


def sent_to(change: Callable[[str], str], **headers: str) -> Callable[[Bench], None]:
    """Return a mistake: Twilio calls another form of the address than the hub checks."""
    return lambda bench: bench.post(sign_form(change(bench.url), SMS), **headers)


def with_fields(change: Callable[[dict[str, str]], dict[str, str]]) -> Callable[[Bench], None]:
    """Return a mistake: the form that arrives is not the one that was signed."""

    def post(bench: Bench) -> None:
        signature = sign_form(bench.url, SMS).headers["x-twilio-signature"]
        bench.post(form(change(dict(SMS)), signature))

    return post


def other_token(bench: Bench) -> None:
    bench.post(sign_form(bench.url, SMS, token=OTHER_TOKEN))


def unknown_token(bench: Bench) -> None:
    bench.post(sign_form(bench.url, SMS, token="nobody knows it"))


def other_account(bench: Bench) -> None:
    values = {"account_sid": OTHER_ACCOUNT, "auth_token": OTHER_TOKEN}
    integrations.update(
        bench.hub, bench.member, bench.other.integration.id, name="Branch", values=values
    )
    fields = {**SMS, "AccountSid": OTHER_ACCOUNT}
    bench.post(sign_form(bench.url, fields, token=OTHER_TOKEN))


def sub_account(bench: Bench) -> None:
    bench.post(sign_form(bench.url, {**SMS, "AccountSid": OTHER_ACCOUNT}))


def other_address(bench: Bench) -> None:
    bench.post(sign_form(bench.other.integration.webhook_url, SMS))


def token_and_host(bench: Bench) -> None:
    url = bench.url.replace("hub.example.com", "www.example.com")
    bench.post(sign_form(url, SMS, token=OTHER_TOKEN), x_forwarded_host="www.example.com")


def stripped(bench: Bench) -> None:
    headers = {"content-type": FORM, "user-agent": "TwilioProxy/1.1"}
    bench.post(Signed(urlencode(SMS).encode(), headers))


def stranger(bench: Bench) -> None:
    bench.post(Signed(b"hello", {"content-type": "text/plain"}))


def as_json(bench: Bench) -> None:
    signature = sign_form(bench.url, SMS).headers["x-twilio-signature"]
    headers = {"content-type": "application/json", "x-twilio-signature": signature}
    bench.post(Signed(json.dumps(SMS).encode(), headers))


def type_lost(bench: Bench) -> None:
    signature = sign_form(bench.url, SMS).headers["x-twilio-signature"]
    bench.post(form(SMS, signature, "text/plain"))


def reserialised(bench: Bench) -> None:
    original = json.dumps(SMS, separators=(",", ":")).encode()
    signed, query = json_signed(bench.url, json.dumps(SMS, indent=2).encode(), original)
    bench.post(signed, query=query)


def changed_body(bench: Bench) -> None:
    signed, query = json_signed(bench.url, b'{"a": 2}', b'{"a": 1}')
    bench.post(signed, query=query)


def query_dropped(bench: Bench) -> None:
    signed, _ = json_signed(bench.url, json.dumps(SMS).encode())
    bench.post(signed)


def query_reordered(bench: Bench) -> None:
    bench.post(sign_form(bench.url + "?b=1&a=2", SMS), query="?a=2&b=1")


def shared_key_unused(bench: Bench) -> None:
    values = {"account_sid": ACCOUNT, "shared_key_id": "WK1", "shared_key_secret": "s" * 32}
    integrations.update(
        bench.hub, bench.member, bench.issued.integration.id, name="Desk", values=values
    )
    bench.post(sign_form(bench.url, SMS))


def shared_key_unknown(bench: Bench) -> None:
    signature = twilio_sign(bench.url, SMS.items(), secret="shared", algorithm="sha256")
    settings = {"x_twilio_webhooks_signature_settings": "key=WK9,algorithm=HMAC_SHA256"}
    bench.post(form(SMS, signature), **settings)


def shared_key_id(bench: Bench) -> None:
    values = {"account_sid": ACCOUNT, "shared_key_id": "WK1", "shared_key_secret": "s" * 32}
    integrations.update(
        bench.hub, bench.member, bench.issued.integration.id, name="Desk", values=values
    )
    signature = twilio_sign(bench.url, SMS.items(), secret="s" * 32, algorithm="sha256")
    settings = {"x_twilio_webhooks_signature_settings": "key=WK2,algorithm=HMAC_SHA256"}
    bench.post(form(SMS, signature), **settings)


def rotated_away(bench: Bench) -> None:
    signed = sign_form(bench.url, SMS, token=OTHER_TOKEN)
    bench.post(signed)
    integrations.rotate_address(bench.hub, bench.member, bench.issued.integration.id)


TWILIO: dict[str, tuple[str, Callable[[Bench], None]]] = {
    "http behind a proxy that ends TLS": (
        "scheme",
        sent_to(lambda url: url.replace("https:", "http:")),
    ),
    "another host, forwarded": (
        "host",
        sent_to(lambda url: url.replace("hub.", "calls."), x_forwarded_host="calls.example.com"),
    ),
    "another host, by RFC 7239": (
        "host",
        sent_to(
            lambda url: url.replace("hub.", "calls."),
            forwarded='for=192.0.2.1;host="calls.example.com"',
        ),
    ),
    "www before the host": ("host", sent_to(lambda url: url.replace("hub.", "www.hub."))),
    "a port that the public URL lacks": (
        "port",
        sent_to(lambda url: url.replace(".com/", ".com:8443/")),
    ),
    "a forwarded port": (
        "port",
        sent_to(lambda url: url.replace(".com/", ".com:9999/"), x_forwarded_port="9999"),
    ),
    "http and another port": (
        "scheme+port",
        sent_to(lambda url: url.replace("https:", "http:").replace(".com/", ".com:8080/")),
    ),
    "a prefix that the proxy strips": (
        "path_prefix",
        sent_to(lambda url: url.replace("/api/", "/hub/api/"), x_forwarded_prefix="/hub"),
    ),
    "a prefix in the original address": (
        "path_prefix",
        sent_to(
            lambda url: url.replace("/api/", "/hub/api/"),
            x_original_uri="/hub/api/webhooks/twilio/x",
        ),
    ),
    "a slash at the end": ("trailing_slash", sent_to(lambda url: url + "/")),
    "two slashes": ("double_slash", sent_to(lambda url: url.replace("/api/", "//api/"))),
    "the address without its token": (
        "shared_address",
        sent_to(lambda url: url.rpartition("/")[0]),
    ),
    "the address of another integration": ("neighbour_address", other_address),
    "the token of another integration": ("neighbour_token", other_token),
    "an unknown token": ("unknown_token", unknown_token),
    "the account of another integration": ("neighbour_account", other_account),
    "a sub-account": ("wrong_account", sub_account),
    "another token and another host": ("neighbour_token", token_and_host),
    "a proxy that strips the header": ("signature_stripped", stripped),
    "a stranger": ("not_the_vendor", stranger),
    "trimmed fields": (
        "body_trimmed",
        with_fields(lambda fields: {name: text.strip() for name, text in fields.items()}),
    ),
    "dropped blank fields": (
        "blank_fields_dropped",
        with_fields(lambda fields: {name: text for name, text in fields.items() if text}),
    ),
    "plus signs lost": (
        "plus_lost",
        with_fields(lambda fields: {name: text.replace("+", " ") for name, text in fields.items()}),
    ),
    "a field added": ("field_added", with_fields(lambda fields: {**fields, "via": "gateway"})),
    "a form turned into JSON": ("form_as_json", as_json),
    "a form under another type": ("content_type_lost", type_lost),
    "JSON written anew": ("body_reserialised", reserialised),
    "JSON changed": ("body_changed", changed_body),
    "the query dropped": ("query_dropped", query_dropped),
    "the query in another order": ("query_changed", query_reordered),
    "a SharedKey that does not sign": ("shared_key_unused", shared_key_unused),
    "a SharedKey that the hub lacks": ("shared_key_unknown", shared_key_unknown),
    "a SharedKey under another id": ("shared_key_id", shared_key_id),
    "an address that was rotated away": ("old_address", rotated_away),
}


def message(
    bench: Bench,
    *,
    key: bytes | None = None,
    age: float = 0,
    content: Callable[[str, str, bytes], bytes] = signed_content,
    encode: Callable[[bytes], str] = lambda made: f"v1,{base64.b64encode(made).decode()}",
    sent: bytes | None = None,
    scale: int = 1,
) -> None:
    """Post a Standard Webhooks message with one thing wrong about it."""
    body = json.dumps({"type": "a.b", "data": {"n": 1}}, separators=(",", ":")).encode()
    timestamp = str(int((time.time() - age) * scale))
    secret = key or decode_base64((bench.issued.inbound_secret or "").removeprefix("whsec_"))
    made = hmac_signature(secret, content("msg_1", timestamp, body))
    headers = {
        "content-type": "application/json",
        "webhook-id": "msg_1",
        "webhook-timestamp": timestamp,
        "webhook-signature": encode(made),
    }
    bench.post(Signed(sent or body, headers))


def webhook_other_secret(bench: Bench) -> None:
    message(bench, key=decode_base64((bench.other.inbound_secret or "").removeprefix("whsec_")))


def webhook_text_as_key(bench: Bench) -> None:
    message(bench, key=(bench.issued.inbound_secret or "").encode())


WEBHOOK: dict[str, tuple[str, Callable[[Bench], None]]] = {
    "a clock ahead": ("clock_ahead", lambda bench: message(bench, age=-900)),
    "a clock behind": ("clock_behind", lambda bench: message(bench, age=900)),
    "milliseconds": ("milliseconds", lambda bench: message(bench, scale=1000)),
    "the secret of another integration": ("neighbour_secret", webhook_other_secret),
    "an unknown secret": ("unknown_secret", lambda bench: message(bench, key=b"k" * 24)),
    "the text of the secret as key": ("secret_not_decoded", webhook_text_as_key),
    "the body alone signed": (
        "body_alone_signed",
        lambda bench: message(bench, content=lambda _id, _time, body: body),
    ),
    "the id left out": (
        "id_left_out",
        lambda bench: message(bench, content=lambda _id, at, body: f"{at}.".encode() + body),
    ),
    "hexadecimal": ("encoding", lambda bench: message(bench, encode=lambda made: made.hex())),
    "a body written anew": (
        "body_reserialised",
        lambda bench: message(bench, sent=b'{\n  "type": "a.b",\n  "data": {\n    "n": 1\n  }\n}'),
    ),
    "no signature": (
        "headers_missing",
        lambda bench: bench.post(Signed(b"{}", {"content-type": "application/json"})),
    ),
    "another scheme": (
        "other_scheme",
        lambda bench: bench.post(Signed(b"{}", {"x-hub-signature-256": "sha256=00"})),
    ),
}


def highlevel(body: bytes, signed: bytes | None = None, **headers: str) -> Signed:
    signature = base64.b64encode(HIGHLEVEL_KEY.sign(signed or body)).decode()
    return Signed(
        body, {"content-type": "application/json", "x-ghl-signature": signature, **headers}
    )


def highlevel_other_location(bench: Bench) -> None:
    bench.post(highlevel(json.dumps({**CONTACT, "locationId": "loc0000000000000002"}).encode()))


def highlevel_stranger_location(bench: Bench) -> None:
    bench.post(highlevel(json.dumps({**CONTACT, "locationId": "nobody"}).encode()))


GOHIGHLEVEL: dict[str, tuple[str, Callable[[Bench], None]]] = {
    "a body written anew": (
        "body_reserialised",
        lambda bench: bench.post(
            highlevel(
                json.dumps(CONTACT).encode(), json.dumps(CONTACT, separators=(",", ":")).encode()
            )
        ),
    ),
    "a body changed": (
        "not_the_vendor",
        lambda bench: bench.post(highlevel(b'{"a": 1}', b'{"a": 2}')),
    ),
    "the location of another integration": ("wrong_location", highlevel_other_location),
    "a location that nobody connected": ("wrong_location", highlevel_stranger_location),
    "a proxy that strips the header": (
        "signature_stripped",
        lambda bench: bench.post(
            Signed(json.dumps(CONTACT).encode(), {"content-type": "application/json"})
        ),
    ),
    "the ended signature alone": (
        "legacy_signature",
        lambda bench: bench.post(
            Signed(b"{}", {"content-type": "application/json", "x-wh-signature": "AAAA"})
        ),
    ),
    "a workflow with another's secret": (
        "neighbour_secret",
        lambda bench: bench.post(secret_request(bench.other.inbound_secret or "")),
    ),
}


def secret_request(secret: str, header: str = "x-hub-secret") -> Signed:
    return Signed(b'{"n": 1}', {"content-type": "application/json", header: secret})


def own(bench: Bench) -> str:
    return bench.issued.inbound_secret or ""


MAKE: dict[str, tuple[str, Callable[[Bench], None]]] = {
    "the secret of another integration": (
        "neighbour_secret",
        lambda bench: bench.post(secret_request(bench.other.inbound_secret or "")),
    ),
    "an unknown secret": ("unknown_secret", lambda bench: bench.post(secret_request("unknown-1"))),
    "quotation marks": ("quoted", lambda bench: bench.post(secret_request(f'"{own(bench)}"'))),
    "a word before it": (
        "prefixed",
        lambda bench: bench.post(secret_request(f"Bearer {own(bench)}")),
    ),
    "the last character missing": (
        "truncated",
        lambda bench: bench.post(secret_request(own(bench)[:-1])),
    ),
    "another header": (
        "other_header",
        lambda bench: bench.post(secret_request(own(bench), "x-api-key")),
    ),
    "another kind of authorization": (
        "not_bearer",
        lambda bench: bench.post(secret_request("Basic eDp5", "authorization")),
    ),
    "the secret in the address": (
        "secret_in_query",
        lambda bench: bench.post(Signed(b"{}", {}), query="?secret=abc"),
    ),
    "an empty header": ("empty_secret", lambda bench: bench.post(secret_request(" "))),
    "no header": ("header_missing", lambda bench: bench.post(Signed(b"{}", {}))),
}
SECOND: dict[str, dict[str, str]] = {
    "twilio": {"auth_token": OTHER_TOKEN},
    "gohighlevel": {"location_id": "loc0000000000000002"},
}
MATRIX = [
    pytest.param(service, cause, mistake, id=f"{service}: {name}")
    for service, rows in (
        ("twilio", TWILIO),
        ("webhook", WEBHOOK),
        ("gohighlevel", GOHIGHLEVEL),
        ("make", MAKE),
    )
    for name, (cause, mistake) in rows.items()
]


@pytest.fixture
def public_hub(hub: Hub) -> Hub:
    return trusting(hub, public_url=PUBLIC_URL)


def set_up(hub: Hub, client: TestClient, service: str) -> Bench:
    member = make_user(hub)
    issued = connect(hub, member, service)
    other = connect(hub, member, service, **SECOND.get(service, {}))
    return Bench(hub, member, client, issued, other)


@pytest.mark.parametrize(("service", "cause", "mistake"), MATRIX)
def test_doctor_names_the_cause(
    public_hub: Hub, service: str, cause: str, mistake: Callable[[Bench], None]
) -> None:
    with receiving(public_hub) as client:
        bench = set_up(public_hub, client, service)
        mistake(bench)
        report = bench.report()
    assert bench.causes()[0] == cause
    assert report.diagnosis
    assert all(finding.message.endswith(".") for finding in report.diagnosis.findings)
    told = repr(report.diagnosis)
    for issued in (bench.issued, bench.other):
        assert issued.integration.webhook_url.rpartition("/")[2] not in told
        assert (issued.inbound_secret or AUTH_TOKEN) not in told
    assert OTHER_TOKEN not in told


def test_two_mistakes_are_both_named(public_hub: Hub) -> None:
    with receiving(public_hub) as client:
        bench = set_up(public_hub, client, "twilio")
        token_and_host(bench)
    assert bench.causes() == ["neighbour_token", "host"]


def remedies(bench: Bench) -> list[Any]:
    diagnosis = bench.report().diagnosis
    assert diagnosis
    return [finding.remedy for finding in diagnosis.findings]


def test_a_public_url_that_fits_is_said(public_hub: Hub) -> None:
    with receiving(public_hub) as client:
        bench = set_up(public_hub, client, "twilio")
        sent_to(lambda url: url.replace("https:", "http:"))(bench)
    (remedy,) = remedies(bench)
    assert (remedy.kind, remedy.text) == ("set_public_url", "http://hub.example.com")


@pytest.mark.parametrize("service", ["twilio", "webhook", "make"])
def test_taking_a_secret_over_lets_the_same_request_pass(public_hub: Hub, service: str) -> None:
    mistakes: dict[str, Callable[[Bench], None]] = {
        "twilio": other_token,
        "webhook": webhook_other_secret,
        "make": MAKE["the secret of another integration"][1],
    }
    with receiving(public_hub) as client:
        bench = set_up(public_hub, client, service)
        mistakes[service](bench)
        rejection = bench.report().rejection
        (remedy,) = remedies(bench)
    doctor.apply_remedy(public_hub, bench.member, rejection.id, remedy)
    with receiving(public_hub) as client, pytest.raises(AssertionError, match="200"):
        mistakes[service](replace(bench, client=client))
    assert len(stored_events(public_hub)) == 1
    with public_hub.database.read() as session:
        row = session.get(IntegrationConfig, bench.issued.integration.id)
        entry = session.exec(select(AuditEntry).where(AuditEntry.action == "doctor.applied")).one()
    assert row
    assert open_values(public_hub.vault, row)[remedy.field]
    assert entry.details["rejection"] == rejection.id
    with pytest.raises(InvalidInput, match="no longer"):
        doctor.apply_remedy(public_hub, bench.member, rejection.id, remedy)


def test_clearing_a_shared_key_is_one_step(public_hub: Hub) -> None:
    with receiving(public_hub) as client:
        bench = set_up(public_hub, client, "twilio")
        shared_key_unused(bench)
    (remedy,) = remedies(bench)
    doctor.apply_remedy(public_hub, bench.member, bench.report().rejection.id, remedy)
    assert bench.causes() == ["mended"]


@pytest.mark.parametrize("service", ["twilio", "webhook", "make", "gohighlevel"])
def test_an_entered_value_is_kept_only_if_the_request_passes_with_it(
    public_hub: Hub, service: str
) -> None:
    right = {
        "twilio": ("auth_token", "nobody knows it", unknown_token),
        "webhook": (
            "signing_secret",
            f"whsec_{base64.b64encode(b'k' * 24).decode()}",
            WEBHOOK["an unknown secret"][1],
        ),
        "make": ("inbound_secret", "unknown-1", MAKE["an unknown secret"][1]),
        "gohighlevel": ("location_id", "nobody", highlevel_stranger_location),
    }
    field, text, mistake = right[service]
    text = text.replace(" ", "-")
    with receiving(public_hub) as client:
        bench = set_up(public_hub, client, service)
        if service == "twilio":
            bench.post(sign_form(bench.url, SMS, token=text))
        else:
            mistake(bench)
    rejection = bench.report().rejection
    for wrong in ("wrong-value-1", f"whsec_{base64.b64encode(b'x' * 24).decode()}", " "):
        with pytest.raises(InvalidInput):
            doctor.enter_value(public_hub, bench.member, rejection.id, field=field, text=wrong)
    doctor.enter_value(public_hub, bench.member, rejection.id, field=field, text=text)
    stored = integrations.get(public_hub, bench.member, bench.issued.integration.id)
    assert stored.status == "untested"
    with public_hub.database.read() as session:
        row = session.get(IntegrationConfig, stored.id)
        assert row
        assert open_values(public_hub.vault, row)[field] == text


def test_a_request_that_passes_now_is_said_to_be_mended(public_hub: Hub) -> None:
    with receiving(public_hub) as client:
        bench = set_up(public_hub, client, "twilio")
        other_token(bench)
    values = {"account_sid": ACCOUNT, "auth_token": OTHER_TOKEN}
    integrations.update(
        public_hub, bench.member, bench.issued.integration.id, name="Desk", values=values
    )
    assert bench.causes() == ["mended"]


def test_a_secret_that_was_changed_since_is_not_compared(public_hub: Hub) -> None:
    with receiving(public_hub) as client:
        bench = set_up(public_hub, client, "make")
        bench.post(secret_request(f'"{own(bench)}"'))
    integrations.reissue_secret(public_hub, bench.member, bench.issued.integration.id)
    assert bench.causes() == ["changed_since"]


def test_a_body_that_was_cut_is_not_examined(public_hub: Hub) -> None:
    with receiving(public_hub) as client:
        bench = set_up(public_hub, client, "twilio")
        bench.post(sign_form(bench.url, {**SMS, "Body": "x" * 20_000}, token=OTHER_TOKEN))
    report = bench.report()
    assert report.diagnosis is None
    assert "first 16,384 of" in (report.unexamined or "")


def test_a_query_is_kept_without_the_token(public_hub: Hub) -> None:
    with receiving(public_hub) as client:
        bench = set_up(public_hub, client, "twilio")
        bench.post(sign_form(bench.url, SMS), query="?room=a%20b")
    called = bench.report().rejection.facts["called"]
    assert called == f"/api/webhooks/twilio/••••{bench.url[-4:]}?room=a%20b"


def test_a_removed_integration_leaves_nothing_to_compare(public_hub: Hub) -> None:
    with receiving(public_hub) as client:
        bench = set_up(public_hub, client, "twilio")
        other_token(bench)
    item = bench.issued.integration
    integrations.remove(public_hub, bench.member, item.id, typed_name=item.name)
    assert "removed" in (bench.report().unexamined or "")


def test_strangers_and_analysts_are_kept_out(public_hub: Hub) -> None:
    with receiving(public_hub) as client:
        bench = set_up(public_hub, client, "twilio")
        other_token(bench)
    rejection_id = bench.report().rejection.id
    bob = make_user(public_hub, "bob@example.com")
    analyst = make_user(public_hub, "ana@example.com", "analyst")
    staff = make_user(public_hub, "sam@example.com", "staff")
    with pytest.raises(NotFound):
        doctor.examine(public_hub, bob, rejection_id)
    with pytest.raises(NotAllowed):
        doctor.examine(public_hub, analyst, rejection_id)
    assert doctor.examine(public_hub, staff, rejection_id).diagnosis


def test_another_members_integration_is_never_compared(public_hub: Hub) -> None:
    connect(public_hub, make_user(public_hub, "bob@example.com"), "twilio", auth_token="bobs-own")
    with receiving(public_hub) as client:
        bench = set_up(public_hub, client, "twilio")
        bench.post(sign_form(bench.url, SMS, token="bobs-own"))
    assert bench.causes() == ["unknown_token"]


def test_a_message_that_was_stale_is_judged_by_when_it_came(public_hub: Hub) -> None:
    with receiving(public_hub) as client:
        bench = set_up(public_hub, client, "webhook")
        message(bench, age=900)
    with shifted(timedelta(hours=3)):
        assert bench.causes() == ["clock_behind"]


@pytest.mark.parametrize("name", ["host", "x-forwarded-host", "x-forwarded-prefix", "forwarded"])
@pytest.mark.parametrize("text", ["[", "a b", "//[", "évil", "a" * 3000, "%00", "host=["])
def test_odd_headers_are_only_not_tried(public_hub: Hub, name: str, text: str) -> None:
    with receiving(public_hub) as client:
        bench = set_up(public_hub, client, "twilio")
        signed = sign_form(bench.url, SMS, token="another")
        headers = {**signed.headers, name: text.encode("latin-1", "replace").decode("latin-1")}
        path = "/api/" + bench.url.partition("/api/")[2]
        client.post(
            path, content=signed.body, headers={k: v.encode("latin-1") for k, v in headers.items()}
        )
    assert bench.causes() == ["unknown_token"]


def test_fingerprints_say_nothing_without_the_secret(public_hub: Hub) -> None:
    with receiving(public_hub) as client:
        bench = set_up(public_hub, client, "make")
        bench.post(secret_request("a-guessable-secret"))
    kept = bench.report().rejection.facts["fingerprint"]
    made = hmac.digest(own(bench).encode(), b"a-guessable-secret", "sha256").hex()
    assert kept == made[:8]
    assert kept not in hashlib.sha256(b"a-guessable-secret").hexdigest()
