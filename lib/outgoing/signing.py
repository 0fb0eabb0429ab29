"""Signing what is sent, as Standard Webhooks 1.0.0 says.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
from collections.abc import Sequence
from datetime import datetime

from lib.errors import InvalidInput
from lib.providers.standard_webhooks import (
    SECRET_PREFIX,
    decode_base64,
    hmac_signature,
    issue_secret,
    signed_content,
)

# The specification asks for 192 to 512 bits.
_KEY_BYTES = range(24, 65)


def signature_headers(
    message_id: str, moment: datetime, body: bytes, *, secrets: Sequence[str]
) -> dict[str, str]:
    """Return webhook-id, webhook-timestamp and webhook-signature, one entry per secret.

    `moment` is the attempt's, `message_id` the same over all attempts. Raises
    InvalidInput(field="signing_secret") when there is no secret, or one is malformed.
    """
    if not secrets:
        raise InvalidInput(
            "The destination has no signing secret. Issue one on its card.", field="signing_secret"
        )
    timestamp = str(int(moment.timestamp()))
    content = signed_content(message_id, timestamp, body)
    entries = [
        f"v1,{base64.b64encode(hmac_signature(_decode_secret(secret), content)).decode()}"
        for secret in secrets
    ]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(entries),
    }


def issue_signing_secret() -> str:
    """Return a fresh `whsec_` secret of 32 random bytes."""
    return issue_secret()


def _decode_secret(text: str) -> bytes:
    try:
        key = decode_base64(text.removeprefix(SECRET_PREFIX))
    except ValueError:
        key = b""
    if not text.startswith(SECRET_PREFIX) or len(key) not in _KEY_BYTES:
        raise InvalidInput(
            "A signing secret is whsec_ followed by base64 of 24 to 64 bytes. Issue a new one.",
            field="signing_secret",
        )
    return key
