"""Signatures of outgoing requests, against published vectors and the reference library."""

import base64
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook as Oracle

from lib.errors import InvalidInput
from lib.outgoing.signing import issue_signing_secret, signature_headers
from lib.providers.standard_webhooks import decode_base64, hmac_signature, signed_content
from lib.providers.webhook import Webhook
from tests.fakes.vectors import load
from tests.providers.samples import SETTINGS, WHSEC, make_request

VECTORS = load("standard_webhooks")
# The hub signs with shared secrets alone; Ed25519 is for what others send to it.
SIGNED = [vector for vector in VECTORS["valid"] if "secret" in vector]
CHANGED = [vector for vector in VECTORS["must_fail"] if isinstance(vector.get("timestamp"), int)]
MOMENT = datetime(2026, 11, 23, 10, tzinfo=UTC)


def key_bytes(vector: dict[str, Any]) -> bytes:
    return decode_base64(vector["secret"].removeprefix("whsec_"))


def sign(vector: dict[str, Any]) -> str:
    moment = datetime.fromtimestamp(vector["timestamp"], UTC)
    headers = signature_headers(
        vector["msg_id"], moment, vector["payload"].encode(), secrets=[vector["secret"]]
    )
    assert headers["webhook-id"] == vector["msg_id"]
    assert headers["webhook-timestamp"] == str(vector["timestamp"])
    return headers["webhook-signature"]


@pytest.mark.parametrize("vector", SIGNED, ids=lambda vector: vector["id"])
def test_published_signature_is_made_again(vector: dict[str, Any]) -> None:
    timestamp, body = str(vector["timestamp"]), vector["payload"].encode()
    made = hmac_signature(key_bytes(vector), signed_content(vector["msg_id"], timestamp, body))
    assert f"v1,{base64.b64encode(made).decode()}" in vector["header"].split()


@pytest.mark.parametrize(
    "vector", [item for item in SIGNED if len(key_bytes(item)) >= 24], ids=lambda item: item["id"]
)
def test_headers_carry_the_published_signature(vector: dict[str, Any]) -> None:
    assert sign(vector) in vector["header"].split()


@pytest.mark.parametrize("vector", CHANGED, ids=lambda vector: vector["id"])
def test_published_change_is_not_what_is_made(vector: dict[str, Any]) -> None:
    assert sign(vector) not in vector["header"].split()


def test_each_secret_signs_during_a_rotation() -> None:
    present, former = issue_signing_secret(), WHSEC
    headers = signature_headers("dlv_1", MOMENT, b"{}", secrets=[present, former])
    entries = headers["webhook-signature"].split(" ")
    assert entries == [
        signature_headers("dlv_1", MOMENT, b"{}", secrets=[one])["webhook-signature"]
        for one in (present, former)
    ]
    for secret in (present, former):
        assert Webhook().validate({"signing_secret": secret}, SETTINGS)


def test_timestamp_is_of_the_moment_in_any_zone() -> None:
    elsewhere = MOMENT.astimezone(timezone(timedelta(hours=-7)))
    headers = signature_headers("dlv_1", elsewhere, b"{}", secrets=[WHSEC])
    assert headers["webhook-timestamp"] == str(int(MOMENT.timestamp()))


def test_issued_secrets_are_fresh_and_of_32_bytes() -> None:
    issued = {issue_signing_secret() for _ in range(20)}
    assert len(issued) == 20
    assert all(len(base64.b64decode(secret.removeprefix("whsec_"))) == 32 for secret in issued)


@settings(max_examples=60, deadline=None)
@given(
    data=st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=4),
    key=st.binary(min_size=24, max_size=64),
)
def test_the_reference_library_agrees(data: dict[str, str], key: bytes) -> None:
    body, moment = json.dumps(data), datetime.now(UTC)
    secret = "whsec_" + base64.b64encode(key).decode()
    headers = signature_headers("dlv_1", moment, body.encode(), secrets=[secret, WHSEC])
    assert Oracle(secret).sign("dlv_1", moment, body) == headers["webhook-signature"].split()[0]
    for either in (secret, WHSEC):
        assert Oracle(either).verify(body, headers) == data


@pytest.mark.parametrize(
    "secrets",
    [
        [],
        [""],
        ["whsec_"],
        ["whsec_" + base64.b64encode(b"k" * 23).decode()],
        ["whsec_" + base64.b64encode(b"k" * 65).decode()],
        [base64.b64encode(b"k" * 32).decode()],
        ["whpk_" + base64.b64encode(b"k" * 32).decode()],
        ["whsec_" + "!" * 40],
        ["whsec_" + "é" * 40],
        [WHSEC, "whsec_hush"],
    ],
)
def test_malformed_secret_is_refused_and_not_repeated(secrets: list[str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        signature_headers("dlv_1", MOMENT, b"{}", secrets=secrets)
    assert caught.value.field == "signing_secret"
    assert caught.value.__cause__ is None
    given_keys = [secret.partition("_")[2] for secret in secrets]
    assert not any(key and key in str(caught.value) for key in given_keys)


def test_the_receiving_half_accepts_what_is_signed() -> None:
    headers = signature_headers("dlv_1", datetime.now(UTC), b'{"a":1}', secrets=[WHSEC])
    named = {name.replace("-", "_"): value for name, value in headers.items()}
    request = make_request("webhook", b'{"a":1}', "application/json", **named)
    assert Webhook().verify(request, {"signing_secret": WHSEC}, SETTINGS).key == "signing_secret"
