"""Twilio's signature against published vectors and Twilio's own library; keys and answers."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from lib.errors import InvalidInput, SignatureError
from lib.providers.base import FORM, JSON, InboundRequest
from lib.providers.twilio import Twilio
from lib.providers.twilio.signature import sign
from tests.fakes.vectors import load
from tests.providers.samples import ACCOUNT, SETTINGS, make_request, with_headers

TWILIO = Twilio()
VECTORS = load("twilio_signatures")
BY_ID = {vector["id"]: vector for vector in VECTORS["valid"]}
VALUES = {"account_sid": ACCOUNT, "auth_token": "12345"}


def as_pairs(pairs: list[list[str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in pairs]


def as_request(vector: dict[str, Any]) -> InboundRequest:
    url = vector["request_url"]
    is_document = "raw_body" in vector
    body = vector["raw_body"] if is_document else urlencode(as_pairs(vector["form_params"]))
    headers = {
        "content-type": JSON if is_document else FORM,
        "x-twilio-signature": vector["signature"],
    }
    method = "GET" if vector["id"] == "get-request" else "POST"
    return InboundRequest(method, url, urlsplit(url).query, headers, body.encode())


@pytest.mark.parametrize("vector", VECTORS["valid"], ids=lambda vector: vector["id"])
def test_published_signature_is_accepted(vector: dict[str, Any]) -> None:
    values = {**VALUES, "auth_token": vector["token"]}
    proof = TWILIO.verify(as_request(vector), values, SETTINGS)
    assert "mycompany" not in str(proof.facts)


def _changed(change: str) -> tuple[InboundRequest, dict[str, str]]:
    request = as_request(BY_ID["form-basic"])
    url, body = request.url, request.body
    document = as_request(BY_ID["json-only-query"])
    path = url.replace("/myapp.php", "/myapp.php/")
    changes = {
        "changed-value": replace(request, body=body.replace(b"1234", b"1235")),
        "removed-param": replace(request, body=body.replace(b"Digits=1234&", b"")),
        "changed-query": replace(request, url=url.replace("foo=1", "foo=2")),
        "scheme-swapped": replace(request, url=url.replace("https", "http")),
        "body-changed-hash-kept": replace(document, body=document.body + b" "),
        "missing-header": with_headers(request, x_twilio_signature=None),
        "empty-header": with_headers(request, x_twilio_signature=""),
        "form-body-with-json-hash-missing": with_headers(request, content_type=JSON),
        "trailing-slash": replace(request, url=path),
    }
    if change == "wrong-secret":
        return request, {**VALUES, "auth_token": "54321"}
    return changes[change], VALUES


@pytest.mark.parametrize("change", [case["id"] for case in VECTORS["must_fail"]])
def test_change_is_refused(change: str) -> None:
    request, values = _changed(change)
    with pytest.raises(SignatureError):
        TWILIO.verify(request, values, SETTINGS)


def test_reasons_name_what_went_wrong() -> None:
    expected = {
        "body-changed-hash-kept": "body_hash_mismatch",
        "missing-header": "missing_signature",
        "form-body-with-json-hash-missing": "body_hash_missing",
        "changed-value": "bad_signature",
    }
    for change, reason in expected.items():
        request, values = _changed(change)
        with pytest.raises(SignatureError) as caught:
            TWILIO.verify(request, values, SETTINGS)
        assert caught.value.reason == reason


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PAIRS = st.lists(st.tuples(st.text("abcABC", min_size=1, max_size=4), TEXT), max_size=12)


class _MultiDict(dict[str, list[str]]):
    def getlist(self, name: str) -> list[str]:
        return self[name]


@settings(max_examples=150, deadline=None)
@given(pairs=PAIRS, port=st.sampled_from(["", ":443", ":8443"]), secret=st.text("xyz", min_size=1))
def test_twilios_library_signs_the_same(
    pairs: list[tuple[str, str]], port: str, secret: str
) -> None:
    fields = _MultiDict()
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    url = f"https://hub.example.com{port}/api/webhooks/twilio/x?a=1"
    for algorithm in ("HMAC_SHA1", "HMAC_SHA256"):
        ours = sign(url, pairs, secret=secret, algorithm=algorithm[5:].lower())  # type: ignore[arg-type]
        assert ours == RequestValidator(secret).compute_signature(url, fields, algorithm)
    signature = RequestValidator(secret).compute_signature(url, fields)
    headers = {"content-type": FORM, "x-twilio-signature": signature}
    request = InboundRequest("POST", url, "a=1", headers, urlencode(pairs).encode())
    assert TWILIO.verify(request, {**VALUES, "auth_token": secret}, SETTINGS)


def signed(pairs: list[tuple[str, str]], secret: str = "12345", **headers: str) -> InboundRequest:
    request = make_request("twilio", urlencode(pairs).encode(), FORM, **headers)
    algorithm = "sha256" if headers else "sha1"
    signature = sign(request.url, pairs, secret=secret, algorithm=algorithm)  # type: ignore[arg-type]
    return with_headers(request, x_twilio_signature=signature)


def test_previous_token_and_other_account() -> None:
    request = signed([("AccountSid", ACCOUNT)], "old")
    values = {**VALUES, "previous_auth_token": "old"}
    assert TWILIO.verify(request, values, SETTINGS).key == "previous_auth_token"
    with pytest.raises(SignatureError) as caught:
        TWILIO.verify(signed([("AccountSid", "AC" + "9" * 32)]), VALUES, SETTINGS)
    assert caught.value.reason == "wrong_account"


def test_shared_key_cannot_be_downgraded() -> None:
    values = {**VALUES, "shared_key_id": "wk1", "shared_key_secret": "deep"}
    header = {"x_twilio_webhooks_signature_settings": "key=wk1,algorithm=HMAC_SHA256"}
    good = signed([("Body", "hi")], "deep", **header)
    assert TWILIO.verify(good, values, SETTINGS).key == "shared_key"
    for weaker in (None, "key=wk1,algorithm=HMAC_SHA1", "key=wk2,algorithm=HMAC_SHA256"):
        request = with_headers(signed([("Body", "hi")]), **{next(iter(header)): weaker})
        with pytest.raises(SignatureError):
            TWILIO.verify(request, values, SETTINGS)
    with pytest.raises(SignatureError):
        TWILIO.verify(good, VALUES, SETTINGS)


def test_a_get_with_an_unsigned_body_is_refused() -> None:
    request = replace(as_request(BY_ID["get-request"]), body=b"Body=forged")
    with pytest.raises(SignatureError):
        TWILIO.verify(request, VALUES, SETTINGS)


def test_fallback_call_and_other_headers_are_the_same_event() -> None:
    message = [("MessageSid", "SM1"), ("SmsStatus", "received"), ("Body", "hi")]
    first = TWILIO.parse(signed(message))
    own_url = signed(message).url
    fallback = [*message, ("ErrorCode", "11200"), ("ErrorUrl", f"{own_url}#rc=3&rp=ct,rt,5xx")]
    assert TWILIO.parse(signed(fallback)) == first
    elsewhere = [*message, ("ErrorCode", "11200"), ("ErrorUrl", "https://x.example")]
    assert TWILIO.parse(signed(elsewhere)).dedupe_key != first.dedupe_key
    assert TWILIO.parse(with_headers(signed(message), i_twilio_idempotency_token="9")) == first
    assert TWILIO.parse(signed([*message, ("NumMedia", "0")])).dedupe_key != first.dedupe_key
    failed = [("MessageSid", "SM1"), ("MessageStatus", "failed")]
    assert TWILIO.parse(signed(failed)) != TWILIO.parse(signed([*failed, ("ErrorCode", "1")]))


def as_get(query: list[tuple[str, str]]) -> InboundRequest:
    request = make_request("twilio", b"", "")
    text = urlencode(query)
    return replace(request, method="GET", url=f"{request.url}?{text}", query=text)


def test_a_fallback_call_by_get_is_the_same_event() -> None:
    message = [("MessageSid", "SM1"), ("SmsStatus", "received"), ("Body", "hi")]
    own_url = make_request("twilio", b"", "").url
    fallback = [*message, ("ErrorCode", "11200"), ("ErrorUrl", own_url)]
    assert TWILIO.parse(as_get(fallback)) == TWILIO.parse(as_get(message))


INBOUND = [
    ("AccountSid", ACCOUNT),
    ("Body", "An ErrorCode and an ErrorUrl of mine"),
    ("From", "+14155550123"),
    ("MessageSid", "SM1"),
    ("SmsStatus", "received"),
    ("To", "+14155550142"),
]


def move(pairs: list[tuple[str, str]], old: str, *new: tuple[str, str]) -> list[tuple[str, str]]:
    """Return `pairs` with the one that is named `old` cut at other places."""
    value = dict(pairs)[old]
    assert "".join(name + text for name, text in new) == old + value
    return sorted([*(pair for pair in pairs if pair[0] != old), *new])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("To", [("To+", "14155550142")]),
        ("Body", [("BodyAn ", "ErrorCode and an ErrorUrl of mine")]),
        ("Body", [("Body", "An "), ("ErrorCode", " and an "), ("ErrorUrl", " of mine")]),
    ],
)
def test_what_is_cut_at_other_places_is_the_same_event(
    old: str, new: list[tuple[str, str]]
) -> None:
    first, moved = signed(INBOUND), signed(move(INBOUND, old, *new))
    name = "x-twilio-signature"
    assert moved.headers[name] == first.headers[name]
    assert TWILIO.verify(moved, VALUES, SETTINGS)
    assert TWILIO.parse(moved).dedupe_key == TWILIO.parse(first).dedupe_key


def test_what_moves_between_the_query_and_the_form_is_the_same_event() -> None:
    request = signed(INBOUND)
    url = f"{request.url}?shop=1"
    first = replace(request, url=url, query="shop=1")
    joined = "".join(name + value for name, value in INBOUND)
    query = f"shop=1{joined}"
    signature = {"x_twilio_signature": sign(url, INBOUND, secret="12345")}
    first = with_headers(first, **signature)
    assert TWILIO.verify(first, VALUES, SETTINGS)
    by_get = replace(first, method="GET", url=f"{request.url}?{query}", query=query, body=b"")
    empty = replace(by_get, method="POST")
    for moved in (by_get, empty):
        assert TWILIO.parse(moved).dedupe_key == TWILIO.parse(first).dedupe_key
        with pytest.raises(SignatureError) as caught:
            TWILIO.verify(moved, VALUES, SETTINGS)
        assert caught.value.reason == "account_hidden"


def test_an_account_is_not_moved_out_of_sight() -> None:
    other = "AC" + "9" * 32
    pairs = [("AccountSid", other), *INBOUND[1:]]
    for new in (("AccountSi", f"d{other}"), (f"AccountSid{other[:2]}", other[2:])):
        moved = signed(move(pairs, "AccountSid", new))
        with pytest.raises(SignatureError) as caught:
            TWILIO.verify(moved, VALUES, SETTINGS)
        assert caught.value.reason == "account_hidden"


def test_answers_keep_twilio_quiet() -> None:
    message = TWILIO.parse(signed([("MessageSid", "SM1"), ("SmsStatus", "received")]))
    answer = TWILIO.answer("evt_1", message, VALUES)
    assert (answer.status, answer.content_type) == (200, "text/xml")
    assert answer.body == b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
    status = TWILIO.parse(signed([("MessageSid", "SM1"), ("MessageStatus", "sent")]))
    assert TWILIO.answer("evt_1", status, VALUES).status == 204


def test_summary_and_keys() -> None:
    payload = {"From": "whatsapp:+14155550123", "Body": "Hello", "MessageSid": "SM" + "a" * 32}
    assert TWILIO.summarize("message.inbound", payload) == "WhatsApp from +14155550123: Hello"
    keys = TWILIO.extract_keys(payload)
    assert keys == {("phone", "+14155550123"), ("sid", "SM" + "a" * 32)}


def test_numbers_and_pairs_are_validated() -> None:
    numbers = load("e164")
    for number in numbers["valid"] + numbers["accepted_with_prefix_for_channels"]:
        assert TWILIO.validate({**VALUES, "from_number": number}, SETTINGS)
    for name in ("GraceCo", "Bakery 24-7", "A&B"):
        assert TWILIO.validate({**VALUES, "from_number": name}, SETTINGS)
    for name in ("Grace's", "Grace and Co", "1234567"):
        with pytest.raises(InvalidInput):
            TWILIO.validate({**VALUES, "from_number": name}, SETTINGS)
    for number in numbers["invalid"]:
        if number == number.strip():
            with pytest.raises(InvalidInput):
                TWILIO.validate({**VALUES, "from_number": number}, SETTINGS)
    with pytest.raises(InvalidInput) as caught:
        TWILIO.validate({**VALUES, "api_key_sid": "SK" + "1" * 32}, SETTINGS)
    assert caught.value.field == "api_key_secret"
