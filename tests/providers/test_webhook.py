"""Standard Webhooks against published vectors and the reference library."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook as Oracle

from lib.clock import now
from lib.errors import InvalidInput, SignatureError
from lib.providers.base import JSON, InboundRequest
from lib.providers.webhook import Webhook
from tests.fakes.vectors import load
from tests.providers.samples import SETTINGS, WHSEC, make_request, sign_webhook, with_headers

WEBHOOK = Webhook()
VECTORS = load("standard_webhooks")
VALUES = {"signing_secret": WHSEC}


def as_request(vector: dict[str, Any], family: str = "webhook") -> InboundRequest:
    headers = {
        f"{family}_id": vector["msg_id"],
        f"{family}_timestamp": str(vector["timestamp"]),
        f"{family}_signature": vector["header"],
    }
    return make_request("webhook", vector["payload"].encode(), JSON, **headers)


@pytest.mark.parametrize("vector", VECTORS["valid"], ids=lambda vector: vector["id"])
def test_published_signature_is_accepted(vector: dict[str, Any]) -> None:
    key = {"signing_secret": vector.get("secret") or vector["public"]}
    assert WEBHOOK.validate(key, SETTINGS) == key
    with time_machine.travel(vector["timestamp"], tick=False):
        for family in ("webhook", "svix"):
            assert WEBHOOK.verify(as_request(vector, family), key, SETTINGS)


@pytest.mark.parametrize(
    "vector",
    [case for case in VECTORS["must_fail"] if "header" in case],
    ids=lambda case: case["id"],
)
def test_published_change_is_refused(vector: dict[str, Any]) -> None:
    with time_machine.travel(1614265330, tick=False), pytest.raises(SignatureError):
        WEBHOOK.verify(as_request(vector), VALUES, SETTINGS)


@pytest.mark.parametrize(
    ("age", "is_fresh"), [(300, True), (301, False), (-300, True), (-301, False)]
)
@time_machine.travel("2026-11-23T10:00:00Z", tick=False)
def test_tolerance_is_five_minutes(age: int, is_fresh: bool) -> None:
    request = sign_webhook(b"{}", int(now().timestamp()) - age)
    if is_fresh:
        assert WEBHOOK.verify(request, VALUES, SETTINGS)
        return
    with pytest.raises(SignatureError) as caught:
        WEBHOOK.verify(request, VALUES, SETTINGS)
    assert caught.value.reason == "stale"


@pytest.mark.parametrize("name", ["webhook_id", "webhook_timestamp", "webhook_signature"])
def test_each_header_is_needed(name: str) -> None:
    request = sign_webhook(b"{}", int(now().timestamp()))
    with pytest.raises(SignatureError) as caught:
        WEBHOOK.verify(with_headers(request, **{name: None}), VALUES, SETTINGS)
    assert caught.value.reason == "missing_signature"


@settings(max_examples=60, deadline=None)
@given(data=st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=4))
def test_the_reference_library_agrees(data: dict[str, str]) -> None:
    body = json.dumps(data)
    moment = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    ours = sign_webhook(body.encode(), int(moment.timestamp()))
    theirs = Oracle(WHSEC).sign("msg_1", moment, body)
    assert ours.headers["webhook-signature"] == theirs
    assert WEBHOOK.verify(ours, VALUES, SETTINGS)


def test_only_keys_are_accepted() -> None:
    for key in ("whsec_", "whsec_short", "whpk_" + "A" * 24, "sk_live_1", "whsec_" + "!" * 32):
        with pytest.raises(InvalidInput):
            WEBHOOK.validate({"signing_secret": key}, SETTINGS)
