"""Why a Standard Webhooks request was refused: the secret, the bytes, the clock, or the recipe."""

import base64
import hmac
from collections.abc import Callable, Iterator
from functools import partial

from lib.providers.base import InboundRequest
from lib.providers.diagnosis import (
    Circumstances,
    Diagnosis,
    Finding,
    Hypothesis,
    Remedy,
    examine,
    mended,
    original_bodies,
    told,
)
from lib.providers.fields import Values
from lib.providers.standard_webhooks import hmac_signature, signed_content
from lib.providers.webhook.signature import (
    PUBLIC_PREFIX,
    TOLERANCE_SECONDS,
    decode_key,
    fits,
    header_family,
)

_FIELD = "signing_secret"


def diagnose_message(request: InboundRequest, values: Values, case: Circumstances) -> Diagnosis:
    """Try everything that can be known; the age counts from when the request came."""
    family = header_family(request)
    identity, timestamp, given = (
        request.headers.get(f"{family}-{part}", "") for part in ("id", "timestamp", "signature")
    )
    if not (identity and timestamp and given):
        return _without_signature(request)
    key = values.get(_FIELD, "")
    if not key:
        return told(
            "no_secret",
            "The integration had no signing secret, so nothing could pass. Issue one and give it "
            "to the sender, or enter the sender's.",
            Remedy("enter_value", _FIELD),
        )
    if fits(request, key):
        return _judge_time(timestamp, case)
    otherwise = Finding(
        "unknown_secret",
        "No secret that the hub knows made this signature, in no way that senders are known to "
        "sign. Copy the sender's signing secret again and enter it here.",
        Remedy("enter_value", _FIELD),
    )
    hypotheses = [*_other_secrets(request, case), _other_bytes(request, key)]
    if not key.startswith(PUBLIC_PREFIX):
        hypotheses += _other_recipes(request, key)
    return examine(hypotheses, otherwise=otherwise)


def _without_signature(request: InboundRequest) -> Diagnosis:
    others = [
        name
        for name in request.headers
        if "signature" in name and not name.startswith(("webhook-", "svix-"))
    ]
    if others:
        return told(
            "other_scheme",
            f"The request is signed another way: it carries {others[0][:60]}. Let the sender sign "
            "per Standard Webhooks.",
        )
    return told(
        "headers_missing",
        "One of webhook-id, webhook-timestamp and webhook-signature is missing. Let the sender "
        "send all three, and the proxy pass them on.",
    )


def _judge_time(timestamp: str, case: Circumstances) -> Diagnosis:
    """Return what is wrong with the time of a message whose signature fits."""
    received = int(case.received_at.timestamp())
    stated = int(timestamp) if timestamp.isascii() and timestamp.isdecimal() else None
    if stated is None:
        return told("bad_timestamp", "webhook-timestamp is no time in Unix seconds. Mend it.")
    if stated > received * 100:
        return told(
            "milliseconds",
            "webhook-timestamp counts milliseconds. Let the sender give whole seconds since 1970.",
        )
    skew = received - stated
    if abs(skew) <= TOLERANCE_SECONDS:
        finding = mended("secret")
        return told(finding.cause, finding.message)
    if skew < 0:
        return told(
            "clock_ahead",
            f"The signature fits, but the sender's clock is {-skew} seconds ahead of the hub's. "
            "Set both clocks by NTP.",
        )
    return told(
        "clock_behind",
        f"The signature fits, but it was {skew} seconds old; {TOLERANCE_SECONDS} are allowed. Set "
        "the sender's clock, and let it sign anew whenever it tries again.",
    )


def _other_secrets(request: InboundRequest, case: Circumstances) -> Iterator[Hypothesis]:
    for neighbour in case.neighbours:
        key = neighbour.values.get(_FIELD)
        if not key:
            continue
        finding = Finding(
            "neighbour_secret",
            f"The request is signed with the secret of the integration {neighbour.name}. Paste "
            "that integration's address in the sender, or make its secret this one's too.",
            Remedy("take_secret", _FIELD, neighbour.id),
        )
        yield Hypothesis(f"the secret of {neighbour.name}", partial(fits, request, key), finding)


def _other_bytes(request: InboundRequest, key: str) -> Hypothesis:
    return Hypothesis(
        "the body with other white space and escapes",
        lambda: any(fits(request, key, body=body) for body in original_bodies(request.body)),
        Finding(
            "body_reserialised",
            "The body was written anew after it was signed: the same values with other white "
            "space or escapes. Let the sender sign the bytes that it sends, and the proxy pass "
            "them on as they are.",
        ),
    )


def _other_recipes(request: InboundRequest, key: str) -> Iterator[Hypothesis]:
    """Yield the usual mistakes of senders that write the scheme themselves."""
    family = header_family(request)
    identity = request.headers[f"{family}-id"]
    timestamp = request.headers[f"{family}-timestamp"]
    given = request.headers[f"{family}-signature"]
    content = signed_content(identity, timestamp, request.body)
    right = decode_key(key)
    bare = key.partition("_")[2]
    recipes: tuple[tuple[str, str, bytes, bytes], ...] = (
        ("secret_not_decoded", "the secret's text as key", key.encode(), content),
        ("secret_not_decoded", "the text behind whsec_ as key", bare.encode(), content),
        ("body_alone_signed", "the body alone", right, request.body),
        (
            "id_left_out",
            "time and body without the id",
            right,
            f"{timestamp}.".encode() + request.body,
        ),
        ("wrong_joint", "without dots between", right, content.replace(b".", b"", 2)),
        ("encoding", "another encoding of the signature", right, content),
    )
    for cause, tried, recipe_key, text in recipes:
        made = hmac_signature(recipe_key, text)
        yield Hypothesis(tried, _stands_in(given, made), Finding(cause, _RECIPES[cause]))


def _stands_in(given: str, made: bytes) -> Callable[[], bool]:
    """Return a test of whether `made` stands in the header in any encoding."""
    entries = [entry.rpartition(",")[2].rpartition("=")[2] or entry for entry in given.split()]
    entries += [entry.rpartition(",")[2] for entry in given.split()]
    forms = {
        base64.b64encode(made).decode(),
        base64.b64encode(made).decode().rstrip("="),
        base64.urlsafe_b64encode(made).decode(),
        made.hex(),
        made.hex().upper(),
    }
    return lambda: any(hmac.compare_digest(a.encode(), b.encode()) for a in entries for b in forms)


_RECIPES = {
    "secret_not_decoded": (
        "The sender uses the text of the secret as key. The key is what stands behind whsec_, "
        "decoded from base64."
    ),
    "body_alone_signed": (
        "The sender signs the body alone. What is signed is webhook-id, a dot, "
        "webhook-timestamp, a dot and the body."
    ),
    "id_left_out": (
        "The sender leaves webhook-id out of what it signs. What is signed is webhook-id, a dot, "
        "webhook-timestamp, a dot and the body."
    ),
    "wrong_joint": (
        "The sender joins id, time and body without dots. Put a dot after the id and after the "
        "time."
    ),
    "encoding": (
        "The signature is right, but written another way. Write it as v1, a comma, and base64."
    ),
}
