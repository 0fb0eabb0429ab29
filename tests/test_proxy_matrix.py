"""Twilio's signature behind every kind of proxy, with Twilio's own library as the signer.

A hub that rebuilds the address from what a proxy says refuses some of these (yap #1589).
"""

import hashlib
import json
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
from starlette.datastructures import ImmutableMultiDict
from twilio.request_validator import RequestValidator

from lib.hub import Hub
from tests.factories import make_user
from tests.receiving import AUTH_TOKEN, connect, receiving, stored_events

FIELDS = [("MessageSid", "SM1"), ("Body", " Hello & bye "), ("FromCity", ""), ("From", "+1415555")]


@dataclass(frozen=True)
class Way:
    """How a request comes in: the public address, what the proxy makes of it, and its body."""

    public_url: str = "https://hub.example.com"
    inside_prefix: str = ""
    host: str = "inside:8000"
    query: str = ""
    as_json: bool = False
    is_repeated: bool = False


WAYS = {
    "direct": Way("http://localhost:8000", host="localhost:8000"),
    "TLS-terminated": Way(),
    "extra port": Way("https://hub.example.com:8443"),
    "path prefix, stripped": Way("https://example.com/hub"),
    "path prefix, kept": Way("https://example.com/hub", inside_prefix="/hub"),
    "query": Way(query="?room=a%20b&x=1&empty="),
    "form": Way(host="hub.example.com"),
    "JSON+bodySHA256": Way(as_json=True),
    "JSON+bodySHA256 behind a prefix": Way("https://example.com/hub", as_json=True, query="?a=1"),
    "repeated param": Way(is_repeated=True),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_proxy_matrix_for_the_twilio_signature(hub: Hub, way: Way) -> None:
    settings = hub.settings.model_copy(update={"public_url": way.public_url})
    behind = Hub(settings, hub.database, hub.vault)
    issued = connect(behind, make_user(hub), "twilio")
    pairs = [*FIELDS, *([("Digits", "2"), ("Digits", "1"), ("Digits", "2")] * way.is_repeated)]
    body = json.dumps(dict(pairs)).encode() if way.as_json else urlencode(pairs).encode()
    query = way.query
    if way.as_json:
        query += f"{'&' if query else '?'}bodySHA256={hashlib.sha256(body).hexdigest()}"
    signer = RequestValidator(AUTH_TOKEN)
    url = issued.integration.webhook_url + query
    signature = signer.compute_signature(url, None if way.as_json else ImmutableMultiDict(pairs))
    path = way.inside_prefix + "/api/" + issued.integration.webhook_url.partition("/api/")[2]
    headers = {
        "content-type": "application/json" if way.as_json else "application/x-www-form-urlencoded",
        "x-twilio-signature": signature,
        "host": way.host,
        # A stranger's word, which no part of the answer may hang on.
        "x-forwarded-host": "evil.example",
        "x-forwarded-proto": "ftp",
        "x-forwarded-port": "1",
    }
    with receiving(behind) as client:
        answer = client.post(path + query, content=body, headers=headers)
        wrong = {**headers, "x-twilio-signature": signer.compute_signature(url + "x", {})}
        refused = client.post(path + query, content=body, headers=wrong)
    assert answer.status_code == 200
    assert refused.status_code == 403
    (event,) = stored_events(hub)
    assert event.payload == body
