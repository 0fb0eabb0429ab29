"""Requests as the providers send them, signed with the keys of the demo's integrations."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lib.providers.twilio.signature import sign


@dataclass(frozen=True)
class Sending:
    """A request to send: raw body and headers."""

    body: bytes
    headers: Mapping[str, str]


def twilio_request(url: str, fields: Mapping[str, str], auth_token: str) -> Sending:
    """Return a form with X-Twilio-Signature."""
    signature = sign(url, fields.items(), secret=auth_token)
    return Sending(
        urlencode(fields).encode(),
        {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "User-Agent": "TwilioProxy/1.1",
            "X-Twilio-Signature": signature,
        },
    )


def gohighlevel_request(event: Mapping[str, object], key: Ed25519PrivateKey) -> Sending:
    """Return a JSON body signed with Ed25519 over its raw bytes."""
    body = json.dumps(event).encode()
    return Sending(
        body,
        {
            "Content-Type": "application/json",
            "User-Agent": "axios/1.13.2",
            "X-GHL-Signature": base64.b64encode(key.sign(body)).decode(),
        },
    )


def secret_request(event: Mapping[str, object], secret: str, agent: str) -> Sending:
    """Return a JSON body with the secret header, as Make and Zapier send it."""
    headers = {"Content-Type": "application/json", "User-Agent": agent, "X-Hub-Secret": secret}
    return Sending(json.dumps(event).encode(), headers)
