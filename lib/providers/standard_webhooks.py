"""Standard Webhooks 1.0.0: keys and the HMAC that both the sending and the receiving half use.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hmac
import secrets

SECRET_PREFIX = "whsec_"  # noqa: S105 - a prefix, not a secret
_ISSUED_BYTES = 32


def issue_secret() -> str:
    """Return a fresh whsec_ secret of 256 bits."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_ISSUED_BYTES)).decode()


def decode_base64(encoded: str) -> bytes:
    """Return the bytes of base64 text, padded or not; raise ValueError without repeating it."""
    bare = encoded.rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):
        pass
    raise ValueError("the key is not base64")


def signed_content(message_id: str, timestamp: str, body: bytes) -> bytes:
    """Return the bytes that a signature covers."""
    return f"{message_id}.{timestamp}.".encode("utf-8", "surrogatepass") + body


def hmac_signature(key: bytes, content: bytes) -> bytes:
    """Return the v1 signature of `content`."""
    return hmac.digest(key, content, "sha256")
