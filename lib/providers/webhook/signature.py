"""Standard Webhooks 1.0.0, the receiving half: v1 (HMAC-SHA256) and v1a (Ed25519).

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md. The
reference library knows only v1 and fails on an entry without a comma.
"""

import base64
import hmac
import re
from collections.abc import Iterator

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from lib.clock import now
from lib.errors import SignatureError
from lib.providers.base import InboundRequest, Verification
from lib.providers.standard_webhooks import (
    SECRET_PREFIX,
    decode_base64,
    hmac_signature,
    signed_content,
)

TOLERANCE_SECONDS = 300
PUBLIC_PREFIX = "whpk_"
_MIN_SECRET_BYTES, _PUBLIC_BYTES = 16, 32
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


def decode_key(text: str) -> bytes:
    """Return the bytes of a whsec_ or whpk_ key, padded or not; raise ValueError."""
    prefix, _, encoded = text.partition("_")
    if f"{prefix}_" not in (SECRET_PREFIX, PUBLIC_PREFIX):
        raise ValueError("the key begins with neither whsec_ nor whpk_")
    key = decode_base64(encoded)
    if f"{prefix}_" == PUBLIC_PREFIX and len(key) != _PUBLIC_BYTES:
        raise ValueError("a public key has 32 bytes")
    if len(key) < _MIN_SECRET_BYTES:
        raise ValueError("the key is too short")
    return key


def message_id(request: InboundRequest) -> str:
    """Return the sender's id of the message, or ""."""
    return request.headers.get(f"{header_family(request)}-id", "")


def verify_message(request: InboundRequest, signing_key: str | None) -> Verification:
    """Prove `request` with a whsec_ or whpk_ key; raise SignatureError."""
    family = header_family(request)
    names = [f"{family}-{part}" for part in ("id", "timestamp", "signature")]
    values = [request.headers.get(name, "") for name in names]
    missing = [name for name, value in zip(names, values, strict=True) if not value]
    if missing:
        raise SignatureError(
            f"The request has no {' and no '.join(missing)}. Let the sender sign per Standard "
            "Webhooks.",
            reason="missing_signature",
        )
    timestamp = values[1]
    if not signing_key:
        raise SignatureError(
            "This integration has no signing secret yet. Issue one and give it to the sender.",
            reason="no_secret",
        )
    if not _TIMESTAMP.fullmatch(timestamp):
        raise SignatureError(
            f"{names[1]} is not a time in Unix seconds. Mend the sender.", reason="bad_timestamp"
        )
    if not fits(request, signing_key):
        raise SignatureError(
            "No signature fits this request. Check that the sender uses this integration's "
            "signing secret and signs the bytes that it sends.",
            reason="bad_signature",
        )
    _check_age(int(timestamp))
    is_public = signing_key.startswith(PUBLIC_PREFIX)
    scheme = "Standard Webhooks Ed25519" if is_public else "Standard Webhooks HMAC-SHA256"
    return Verification(scheme, "signing_secret")


def fits(request: InboundRequest, signing_key: str, *, body: bytes | None = None) -> bool:
    """Tell whether a signature fits the request, or another body in its place; not its age."""
    family = header_family(request)
    identity, timestamp, signatures = (
        request.headers.get(f"{family}-{part}", "") for part in ("id", "timestamp", "signature")
    )
    content = signed_content(identity, timestamp, request.body if body is None else body)
    version = "v1a" if signing_key.startswith(PUBLIC_PREFIX) else "v1"
    return _any_fits(version, decode_key(signing_key), content=content, signatures=signatures)


def header_family(request: InboundRequest) -> str:
    """Return the prefix of the headers that the request carries: webhook or svix."""
    has_own = "webhook-signature" in request.headers or "svix-signature" not in request.headers
    return "webhook" if has_own else "svix"


def _any_fits(version: str, key: bytes, *, content: bytes, signatures: str) -> bool:
    if version == "v1a":
        public_key = Ed25519PublicKey.from_public_bytes(key)
        return any(
            _is_signed(public_key, entry, content=content) for entry in _entries("v1a", signatures)
        )
    expected = hmac_signature(key, content)
    return any(hmac.compare_digest(entry, expected) for entry in _entries("v1", signatures))


def _entries(version: str, signatures: str) -> Iterator[bytes]:
    """Yield the decoded signatures of `version`; others, and broken ones, are skipped."""
    for entry in signatures.split()[:20]:
        stated, comma, encoded = entry.partition(",")
        if not comma or stated != version:
            continue
        try:
            yield base64.b64decode(encoded, validate=True)
        except ValueError:
            continue


def _is_signed(public_key: Ed25519PublicKey, signature: bytes, *, content: bytes) -> bool:
    try:
        public_key.verify(signature, content)
    except InvalidSignature:
        return False
    return True


def _check_age(timestamp: int) -> None:
    age = int(now().timestamp()) - timestamp
    if abs(age) > TOLERANCE_SECONDS:
        raise SignatureError(
            f"The message is {abs(age)} seconds {'old' if age > 0 else 'early'}; "
            f"{TOLERANCE_SECONDS} are allowed. Check both clocks, and let retries be signed anew.",
            reason="stale",
            facts={"age_seconds": str(age)},
        )
