"""Requests as the providers send them, signed with the keys of the demo's integrations."""

import base64
import json
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lib.providers.registry import get_provider
from lib.providers.sending import FORM_TYPE, JSON_TYPE, Signed, Unsigned, encode_form


def service_request(
    service_name: str, url: str, fields: Mapping[str, str], *, values: Mapping[str, str]
) -> Signed:
    """Return `fields` as this service sends them, proven with the secret in `values`."""
    is_form = service_name == "twilio"
    body = encode_form(fields.items()) if is_form else json.dumps(fields).encode()
    unsigned = Unsigned(url, FORM_TYPE if is_form else JSON_TYPE, body)
    return get_provider(service_name).sign_sample(unsigned, values)


def platform_request(url: str, event: Mapping[str, object], key: Ed25519PrivateKey) -> Signed:
    """Return a JSON body signed with Ed25519 over its raw bytes, as HighLevel alone can."""
    body = json.dumps(event).encode()
    headers = {
        "Content-Type": JSON_TYPE,
        "User-Agent": "axios/1.13.2",
        "X-GHL-Signature": base64.b64encode(key.sign(body)).decode(),
    }
    return Signed(url, body, headers, "")
