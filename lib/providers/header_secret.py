"""The header X-Hub-Secret: the proof that senders without a signature carry.

It proves that the sender knows the secret, not that the body is unchanged; the screens say so.
"""

import hmac
import secrets
from collections.abc import Mapping

from lib.errors import InvalidInput, SignatureError
from lib.providers.base import InboundRequest, Verification
from lib.providers.digests import digest_within_minute
from lib.providers.sending import Signed, Unsigned

HEADER = "x-hub-secret"
FORMAT_PATTERN = r"[!-~]{8,200}"
FORMAT_HELP = "Enter 8 to 200 letters, digits or signs, without spaces."
_BEARER = "bearer "


def verify_secret(request: InboundRequest, secret: str | None, *, key: str) -> Verification:
    """Compare X-Hub-Secret, or else a bearer token, with `secret` in constant time.

    `key` is the name of the field that holds the secret.
    """
    given = stated_secret(request.headers)
    if not given:
        raise SignatureError(
            "The request has no X-Hub-Secret. Add that header, with the secret shown when the "
            "integration was made, to the step that sends.",
            reason="missing_signature",
        )
    if not secret:
        raise SignatureError(
            "This integration has no secret yet. Issue one, then put it into the sender's "
            "X-Hub-Secret header.",
            reason="no_secret",
        )
    if not hmac.compare_digest(_encode(given), _encode(secret)):
        raise SignatureError(
            "The X-Hub-Secret is not this integration's. Copy it again, or issue a new one and "
            "put that into the sender.",
            reason="bad_signature",
            facts=_describe(given, secret),
        )
    return Verification("shared secret", key)


def fingerprint(secret: str, given: str) -> str:
    """Return 32 bits that tell the doctor which secret was sent, under this one as key.

    Whoever reads it cannot try guesses of `given` on it without knowing `secret`.
    """
    return hmac.digest(_encode(secret), _encode(given), "sha256")[:4].hex()


def _describe(given: str, secret: str) -> dict[str, str]:
    return {"secret sent": f"{len(given)} characters", "fingerprint": fingerprint(secret, given)}


def stated_secret(headers: Mapping[str, str]) -> str:
    """Return the secret that the request carries, or ""."""
    given = headers.get(HEADER, "").strip()
    if given:
        return given
    bearer = headers.get("authorization", "").strip()
    return bearer[len(_BEARER) :].strip() if bearer[: len(_BEARER)].lower() == _BEARER else ""


def carry_secret(unsigned: Unsigned, secret: str | None, *, field: str, agent: str) -> Signed:
    """Return a request with X-Hub-Secret; nothing of it is signed. Raise InvalidInput(field)."""
    if not secret:
        raise InvalidInput(
            "There is no secret to send. Issue one on the integration's card.", field=field
        )
    headers = {
        "Content-Type": unsigned.content_type,
        "User-Agent": agent,
        "X-Hub-Secret": secret,
    }
    return Signed(unsigned.url, unsigned.body, headers, "")


def issue_secret() -> str:
    """Return a fresh secret of 256 bits."""
    return secrets.token_urlsafe(32)


def windowed_key(body: bytes) -> str:
    """Return a key for senders that give no event id: the body and the UTC minute.

    Equal bodies in one minute are one event. The edge is known: a repetition that crosses the
    turn of a minute is kept as a second event, since losing a genuine one would be worse.
    """
    return digest_within_minute(body)


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
