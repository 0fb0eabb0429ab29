"""Why a request with X-Hub-Secret was refused: which secret it carried, or where it hid it.

The secret itself was never kept; its fingerprint under the integration's own secret was.
"""

import base64
import hmac
from collections.abc import Callable, Iterator
from functools import partial
from urllib.parse import parse_qsl, quote

from lib.providers.base import InboundRequest
from lib.providers.diagnosis import (
    Circumstances,
    Diagnosis,
    Finding,
    Hypothesis,
    Remedy,
    examine,
    told,
)
from lib.providers.fields import Values
from lib.providers.header_secret import HEADER, fingerprint

_LOOKALIKES = (
    "hub-secret",
    "x-hubsecret",
    "x-hub-token",
    "x-hub-key",
    "x-secret",
    "secret",
    "x-api-key",
    "api-key",
    "x-webhook-secret",
    "x-auth-token",
    "token",
)
_QUERY_NAMES = frozenset({HEADER, "hub-secret", "secret", "token", "key", "api_key", "apikey"})
_NOT_BEARER = Finding(
    "not_bearer",
    "The request has an Authorization header, but of another kind than Bearer. Send X-Hub-Secret "
    "instead, or Authorization: Bearer and the secret.",
)
_IN_QUERY = Finding(
    "secret_in_query",
    "The secret seems to stand in the address, where logs keep it. Move it to the header "
    "X-Hub-Secret and issue a new one.",
)
_EMPTY = Finding(
    "empty_secret",
    "X-Hub-Secret was sent without a value: the sender's variable is empty. Enter the secret "
    "itself there.",
)
_MISSING = Finding(
    "header_missing",
    "Nothing in the request looks like a secret. Add the header X-Hub-Secret to the step that "
    "sends; if it is there, let the proxy pass it on.",
)


def diagnose_secret(
    request: InboundRequest, values: Values, case: Circumstances, *, field: str
) -> Diagnosis:
    """Return why the header was not this integration's secret; `field` is where that is kept."""
    if case.reason == "no_secret" or not values.get(field):
        return told(
            "no_secret",
            "The integration had no secret, so nothing could pass. Issue one and put it into the "
            "sender's X-Hub-Secret header.",
            Remedy("enter_value", field),
        )
    if case.reason == "missing_signature":
        return _diagnose_missing(request)
    return _diagnose_wrong(values[field], case, field=field)


def _diagnose_missing(request: InboundRequest) -> Diagnosis:
    headers = request.headers
    lookalike = next((name for name in _LOOKALIKES if headers.get(name)), None)
    names = {name.lower() for name, _ in parse_qsl(request.query, keep_blank_values=True)}
    other_header = Finding(
        "other_header",
        f"The request has a header {lookalike}, but no X-Hub-Secret. Rename the header in the "
        "sender to X-Hub-Secret.",
    )
    hypotheses = (
        Hypothesis("the secret in another header", lambda: lookalike is not None, other_header),
        Hypothesis(
            "an Authorization header that is no bearer token",
            lambda: bool(headers.get("authorization")),
            _NOT_BEARER,
        ),
        Hypothesis("the secret in the address", lambda: bool(names & _QUERY_NAMES), _IN_QUERY),
        # What is kept of the header is a mask, whatever it held.
        Hypothesis("X-Hub-Secret sent, but empty", lambda: HEADER in headers, _EMPTY),
    )
    return examine(hypotheses, otherwise=_MISSING)


def _diagnose_wrong(own: str, case: Circumstances, *, field: str) -> Diagnosis:
    kept = case.facts.get("fingerprint", "")
    if field in case.changed:
        return told(
            "changed_since",
            "The secret of this integration was changed after this request came, so the two "
            "cannot be compared any more. Let the sender send it again.",
        )
    if not kept:
        return told(
            "not_kept",
            "Nothing was kept that the secret could be compared by. Let the sender send it again.",
        )

    def was(secret: str) -> bool:
        return hmac.compare_digest(fingerprint(own, secret), kept)

    hypotheses = [
        *(
            Hypothesis(f"the secret {note}", partial(_any, was, texts), finding)
            for note, texts, finding in _misspellings(own)
        ),
        *_neighbours(case, was, field=field),
    ]
    otherwise = Finding(
        "unknown_secret",
        "The secret is none that the hub knows: an older one, or one of another system. Put the "
        "present one into the sender, or enter here what the sender uses.",
        Remedy("enter_value", field),
    )
    return examine(hypotheses, otherwise=otherwise)


def _neighbours(
    case: Circumstances, was: Callable[[str], bool], *, field: str
) -> Iterator[Hypothesis]:
    for neighbour in case.neighbours:
        text = neighbour.values.get(field)
        if not text:
            continue
        finding = Finding(
            "neighbour_secret",
            f"The request carries the secret of the integration {neighbour.name}. Paste that "
            "integration's address in the sender, or make its secret this one's too.",
            Remedy("take_secret", field, neighbour.id),
        )
        yield Hypothesis(f"the secret of {neighbour.name}", partial(was, text), finding)


def _any(test: Callable[[str], bool], texts: tuple[str, ...]) -> bool:
    return any(test(text) for text in texts)


def _misspellings(own: str) -> Iterator[tuple[str, tuple[str, ...], Finding]]:
    """Yield (note, what was sent, finding) for the right secret in a wrong form."""
    forms = {
        "quoted": ("in quotation marks", (f'"{own}"', f"'{own}'", f"“{own}”"), "the quotes"),
        "prefixed": (
            "with a word before it",
            (f"Bearer {own}", f"bearer {own}", f"X-Hub-Secret: {own}", f"Token {own}"),
            "the word before the secret",
        ),
        "template": ("in braces", (f"{{{{{own}}}}}", f"{{{own}}}", f"<{own}>"), "the braces"),
        "upper_lower": ("in other case", (own.lower(), own.upper()), "what changes the case"),
        "encoded": (
            "encoded",
            (base64.b64encode(own.encode()).decode(), quote(own, safe="")),
            "the encoding",
        ),
        "truncated": (
            "cut at an end",
            (own[:-1], own[1:], own[:-2], own[:32], own[:36]),
            "what cuts it",
        ),
        "twice": ("twice", (own + own, f"{own},{own}", f"{own}, {own}"), "the second copy"),
    }
    for cause, (note, texts, culprit) in forms.items():
        message = f"The right secret was sent {note}. Remove {culprit} in the sender."
        yield note, tuple(text for text in texts if text != own), Finding(cause, message)
