"""HighLevel's signatures and the tenant check that they make necessary.

https://marketplace.gohighlevel.com/docs/webhook/WebhookIntegrationGuide: the key is
HighLevel-wide, so a good signature proves HighLevel and not the customer.
"""

import base64
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from lib.errors import MalformedRequest, SignatureError
from lib.providers import header_secret
from lib.providers.base import InboundRequest, Verification
from lib.providers.fields import Values
from lib.settings import Settings

_ED25519_HEADER = "x-ghl-signature"
_RSA_HEADER = "x-wh-signature"


def verify_request(request: InboundRequest, values: Values, *, settings: Settings) -> Verification:
    """Prove `request`: Ed25519 if that header is there, else RSA if set up, else our secret.

    A present X-GHL-Signature decides alone, so that no weaker proof can stand in for it.
    """
    signature = _stated(request, _ED25519_HEADER)
    if signature is not None:
        _check_ed25519(request.body, signature, pem=settings.gohighlevel_ed25519_key)
        facts = _check_tenant(request, values)
        return Verification("HighLevel Ed25519", "gohighlevel_ed25519_key", facts)
    legacy = _stated(request, _RSA_HEADER)
    if legacy is not None and settings.gohighlevel_rsa_key:
        _check_rsa(request.body, legacy, pem=settings.gohighlevel_rsa_key)
        facts = _check_tenant(request, values)
        return Verification("HighLevel RSA-SHA256", "gohighlevel_rsa_key", facts)
    if legacy is not None and not header_secret.stated_secret(request.headers):
        raise SignatureError(
            "The request carries only X-WH-Signature, which HighLevel ended on 2026-09-01. Let "
            "the app send X-GHL-Signature, or set HUB_GOHIGHLEVEL_RSA_KEY.",
            reason="legacy_signature",
        )
    return header_secret.verify_secret(request, values.get("shared_secret"), key="shared_secret")


def is_platform_signed(request: InboundRequest) -> bool:
    """Tell whether a verified request is an app event and not a workflow action."""
    if _stated(request, _ED25519_HEADER) is not None:
        return True
    has_secret = bool(header_secret.stated_secret(request.headers))
    return _stated(request, _RSA_HEADER) is not None and not has_secret


def stated_signature(request: InboundRequest) -> str | None:
    """Return X-GHL-Signature, or None."""
    return _stated(request, _ED25519_HEADER)


def is_ed25519(body: bytes, signature: str, *, pem: str) -> bool:
    """Tell whether the key in `pem` signed these bytes."""
    try:
        _check_ed25519(body, signature, pem=pem)
    except SignatureError:
        return False
    return True


def stated_location(body: Mapping[str, Any]) -> Any:
    """Return locationId, or altId where altType says that it is a location."""
    location = _look_up(body, "locationId")
    if location is None and _look_up(body, "altType") == "location":
        return _look_up(body, "altId")
    return location


def stated_company(body: Mapping[str, Any]) -> Any:
    """Return companyId."""
    return _look_up(body, "companyId")


def _stated(request: InboundRequest, header: str) -> str | None:
    value = request.headers.get(header, "").strip()
    # HighLevel's guide: the literal N/A means that there is none.
    return value if value and value.upper() != "N/A" else None


def _check_ed25519(body: bytes, signature: str, *, pem: str) -> None:
    try:
        _load_ed25519(pem).verify(base64.b64decode(signature, validate=True), body)
    except (ValueError, InvalidSignature) as error:
        raise _bad_signature("HUB_GOHIGHLEVEL_ED25519_KEY") from error


def _check_rsa(body: bytes, signature: str, *, pem: str) -> None:
    try:
        decoded = base64.b64decode(signature, validate=True)
        _load_rsa(pem).verify(decoded, body, padding.PKCS1v15(), SHA256())
    except (ValueError, InvalidSignature) as error:
        raise _bad_signature("HUB_GOHIGHLEVEL_RSA_KEY") from error


def _bad_signature(setting: str) -> SignatureError:
    return SignatureError(
        f"The signature does not fit the body. Check that no proxy rewrites bodies and that "
        f"{setting} is HighLevel's current key.",
        reason="bad_signature",
    )


@lru_cache(maxsize=4)
def _load_ed25519(pem: str) -> Ed25519PublicKey:
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("not an Ed25519 key")
    return key


@lru_cache(maxsize=4)
def _load_rsa(pem: str) -> RSAPublicKey:
    key = load_pem_public_key(pem.replace("\\n", "\n").encode())
    if not isinstance(key, RSAPublicKey):
        raise ValueError("not an RSA key")
    return key


def _check_tenant(request: InboundRequest, values: Values) -> dict[str, str]:
    """Refuse another customer's event; return a note when the event names no customer."""
    try:
        body = request.json
    except MalformedRequest:
        # Reading it is the next step's business, which refuses it.
        return {}
    body = body if isinstance(body, dict) else {}
    location, company = stated_location(body), stated_company(body)
    app = _look_up(body, "appId")
    if location is not None:
        _require(location, values["location_id"], noun="location")
    elif company is not None and values.get("company_id"):
        _require(company, values["company_id"], noun="company")
    if values.get("app_id") and app is not None:
        _require(app, values["app_id"], noun="app")
    if location is None and company is None:
        return {"tenant": "the event names no location, so only HighLevel is proven"}
    if location is None and not values.get("company_id"):
        return {"tenant": "the event names only a company; enter its id to have it checked"}
    return {}


def _require(stated: Any, expected: str, *, noun: str) -> None:
    if stated != expected:
        raise SignatureError(
            f"HighLevel signed this event, but for another {noun}. Check the {noun} id of this "
            f"integration, or connect the other {noun}.",
            reason=f"wrong_{noun}",
        )


def _look_up(body: Mapping[str, Any], name: str) -> Any:
    """Return a field of a flat body, or of one nested under `data` as older guides show."""
    if body.get(name) is not None:
        return body[name]
    data = body.get("data")
    return data.get(name) if isinstance(data, dict) else None
