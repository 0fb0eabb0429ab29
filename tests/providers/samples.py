"""For each provider: values that work, and how its sender proves a body."""

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lib.clock import now
from lib.providers.base import FORM, JSON, InboundRequest
from lib.providers.twilio.signature import sign
from lib.settings import Settings

FIXTURES = Path(__file__).parent / "fixtures"
ACCOUNT = "AC00000000000000000000000000000001"
SECRET = "hub-secret-0123456789"
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
GHL_KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
GHL_PEM = (
    GHL_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
)
SETTINGS = Settings(
    gohighlevel_ed25519_key=GHL_PEM,
    allowed_private_networks="127.0.0.0/8",  # type: ignore[arg-type]
)


def make_request(slug: str, body: bytes, content_type: str, **headers: str) -> InboundRequest:
    """Return a POST to the address of an integration."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    url = f"http://localhost:8000/api/webhooks/{slug}/URL-TOKEN"
    return InboundRequest("POST", url, "", {"content-type": content_type, **named}, body)


@dataclass(frozen=True)
class Sample:
    """What the contract test needs to know about one provider."""

    values: dict[str, str]
    build: Callable[[dict[str, object]], InboundRequest]
    signature_header: str
    # Another customer's values, under which the same request must fail.
    stranger: dict[str, str]


def fixtures(slug: str) -> list[Path]:
    """Return the captured bodies of a provider, named <event>__<variant>.json."""
    return sorted((FIXTURES / slug).glob("*.json"))


def with_headers(request: InboundRequest, **headers: str | None) -> InboundRequest:
    """Return `request` with headers replaced, or removed by None."""
    merged = {**request.headers, **{k.replace("_", "-"): v for k, v in headers.items()}}
    return replace(request, headers={k: v for k, v in merged.items() if v is not None})


def _twilio(payload: dict[str, object]) -> InboundRequest:
    pairs = [(name, str(value)) for name, value in payload.items()]
    request = make_request("twilio", urlencode(pairs).encode(), f"{FORM}; charset=UTF-8")
    return with_headers(request, x_twilio_signature=sign(request.url, pairs, secret="12345"))


def _gohighlevel(payload: dict[str, object]) -> InboundRequest:
    body = json.dumps(payload).encode()
    if "workflow" in payload:
        return make_request("gohighlevel", body, JSON, x_hub_secret=SECRET)
    signature = base64.b64encode(GHL_KEY.sign(body)).decode()
    return make_request("gohighlevel", body, JSON, x_ghl_signature=signature)


def _hook(slug: str) -> Callable[[dict[str, object]], InboundRequest]:
    def build(payload: dict[str, object]) -> InboundRequest:
        return make_request(slug, json.dumps(payload).encode(), JSON, x_hub_secret=SECRET)

    return build


def _webhook(payload: dict[str, object]) -> InboundRequest:
    return sign_webhook(json.dumps(payload).encode(), int(now().timestamp()))


def sign_webhook(body: bytes, timestamp: int, identity: str = "msg_1") -> InboundRequest:
    """Return a request signed per Standard Webhooks at `timestamp`."""
    key = base64.b64decode(WHSEC.removeprefix("whsec_"))
    made = hmac.digest(key, f"{identity}.{timestamp}.".encode() + body, "sha256")
    return make_request(
        "webhook",
        body,
        JSON,
        webhook_id=identity,
        webhook_timestamp=str(timestamp),
        webhook_signature=f"v1,{base64.b64encode(made).decode()}",
    )


_HOOK_VALUES = {"inbound_secret": SECRET}
_HOOK_STRANGER = {"inbound_secret": "another-secret-0123456789"}
SAMPLES = {
    "twilio": Sample(
        {"account_sid": ACCOUNT, "auth_token": "12345"},
        _twilio,
        "x-twilio-signature",
        {"account_sid": ACCOUNT[:-1] + "2", "auth_token": "12345"},
    ),
    "gohighlevel": Sample(
        {"location_id": "loc0000000000000001", "shared_secret": SECRET},
        _gohighlevel,
        "x-ghl-signature",
        {"location_id": "loc-other", "shared_secret": SECRET},
    ),
    "make": Sample(_HOOK_VALUES, _hook("make"), "x-hub-secret", _HOOK_STRANGER),
    "zapier": Sample(_HOOK_VALUES, _hook("zapier"), "x-hub-secret", _HOOK_STRANGER),
    "webhook": Sample(
        {"signing_secret": WHSEC},
        _webhook,
        "webhook-signature",
        {"signing_secret": "whsec_" + "A" * 32},
    ),
}
