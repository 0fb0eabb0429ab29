"""A receiver for tests, integrations to post to, and requests signed as vendors sign them."""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlmodel import select
from standardwebhooks.webhooks import Webhook as StandardWebhook
from starlette.testclient import TestClient
from twilio.request_validator import RequestValidator

from lib.access import Actor
from lib.clock import now
from lib.connections import integrations
from lib.connections.integrations import Issued
from lib.hub import Hub
from lib.models import RejectedRequest, WebhookEvent
from webhook_receiver.app import create_app

VECTORS = Path(__file__).parent / "vectors"
ACCOUNT = "AC00000000000000000000000000000001"
AUTH_TOKEN = "0123456789abcdef0123456789abcdef"
LOCATION = "loc0000000000000001"
HIGHLEVEL_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
HIGHLEVEL_PEM = (
    HIGHLEVEL_KEY.public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    .decode()
)
VALUES: Mapping[str, Mapping[str, str]] = {
    "twilio": {"account_sid": ACCOUNT, "auth_token": AUTH_TOKEN},
    "gohighlevel": {"location_id": LOCATION},
    "make": {},
    "zapier": {},
    "webhook": {},
}


@dataclass(frozen=True)
class Signed:
    """A request ready to post."""

    body: bytes
    headers: Mapping[str, str]


def load_vectors(name: str) -> Any:
    """Return one of the fixture files."""
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


def trusting(hub: Hub, **changes: Any) -> Hub:
    """Return `hub` with HighLevel's key replaced by the tests' own, and other settings."""
    settings = hub.settings.model_copy(update={"gohighlevel_ed25519_key": HIGHLEVEL_PEM, **changes})
    return Hub(settings=settings, database=hub.database, vault=hub.vault)


@contextmanager
def receiving(hub: Hub, **changes: Any) -> Iterator[TestClient]:
    """Yield a client of a running receiver."""
    with TestClient(create_app(trusting(hub, **changes)), base_url="http://inside:8000") as client:
        yield client


def connect(hub: Hub, owner: Actor, service_name: str, **values: str) -> Issued:
    """Add an integration with working values."""
    merged = {**VALUES[service_name], **values}
    name = f"{service_name} {now().timestamp()}"
    return integrations.add(hub, owner, service_name=service_name, name=name, values=merged)


def sign(issued: Issued, content: Mapping[str, Any], *, unique: str = "msg_1") -> Signed:
    """Return `content` as its vendor would send it to this integration."""
    service, url = issued.integration.service_name, issued.integration.webhook_url
    if service == "twilio":
        return sign_form(url, {key: str(value) for key, value in content.items()})
    body = json.dumps(content).encode()
    headers = {"content-type": "application/json"}
    if service == "gohighlevel":
        headers["x-ghl-signature"] = base64.b64encode(HIGHLEVEL_KEY.sign(body)).decode()
    elif service == "webhook":
        moment = now()
        signer = StandardWebhook(issued.inbound_secret or "")
        headers["webhook-id"] = unique
        headers["webhook-timestamp"] = str(int(moment.timestamp()))
        headers["webhook-signature"] = signer.sign(unique, moment, body.decode())
    else:
        headers["x-hub-secret"] = issued.inbound_secret or ""
    return Signed(body, headers)


def sign_form(url: str, fields: Mapping[str, str], *, token: str = AUTH_TOKEN) -> Signed:
    """Return a form signed by Twilio's own library."""
    signature = RequestValidator(token).compute_signature(url, dict(fields))
    headers = {
        "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
        "x-twilio-signature": signature,
    }
    return Signed(urlencode(fields).encode(), headers)


def post(client: TestClient, url: str, signed: Signed) -> httpx2.Response:
    """Post to an integration's address as a proxy in front of the receiver would."""
    path = "/api/" + url.partition("/api/")[2]
    return client.post(path, content=signed.body, headers=dict(signed.headers))


def stored_events(hub: Hub) -> list[WebhookEvent]:
    """Return all events, oldest first."""
    with hub.database.read() as session:
        return list(session.exec(select(WebhookEvent).order_by(WebhookEvent.id)))


def kept_rejections(hub: Hub) -> list[RejectedRequest]:
    """Return all refused requests, oldest first."""
    with hub.database.read() as session:
        return list(session.exec(select(RejectedRequest).order_by(RejectedRequest.id)))
