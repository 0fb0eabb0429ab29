"""The contract of the signature doctor: what was tried on a refused request, and what explains it.

A provider works on opened values and returns findings in words. Nothing of a finding, a check or
a remedy holds a secret or an address token.
"""

import html
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any, Literal

from lib.providers.fields import Values
from lib.settings import Settings

# take_secret: another integration's value of `field` becomes this one's; enter_value: a person
# types the right value of `field`; clear_fields: empty `field`, names with commas between;
# set_public_url: the operator sets HUB_PUBLIC_URL to `text`; use_address: paste the address of
# `integration_id` at the vendor; mend_sender: outside the hub.
RemedyKind = Literal[
    "take_secret", "enter_value", "clear_fields", "set_public_url", "use_address", "mend_sender"
]
# What is kept of a body has 16 KB; indentation makes deep nonsense many times as long.
_MOST_BYTES = 262_144
# How the libraries of common languages write JSON.
_FORMS: tuple[dict[str, Any], ...] = (
    {"separators": (",", ":")},
    {"separators": (", ", ": ")},
    *({"indent": indent} for indent in (1, 2, 3, 4, "\t")),
)


@dataclass(frozen=True, repr=False)
class Neighbour:
    """Another integration of the same member and service, with its opened values."""

    id: str
    name: str
    url: str
    values: Values


@dataclass(frozen=True, repr=False)
class Circumstances:
    """What a diagnosis may know beside the request: the address, the time, the neighbours.

    `reason` and `facts` are those that were kept when the request was refused. After a rotation
    `is_old_address` says that it came to the address before, whose token is not known;
    `changed` names the secrets of the integration that were set after it came.
    """

    settings: Settings
    received_at: datetime
    reason: str
    facts: Mapping[str, str]
    neighbours: tuple[Neighbour, ...] = ()
    is_old_address: bool = False
    changed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Remedy:
    """What would mend it; which of the other attributes count depends on `kind`."""

    kind: RemedyKind
    field: str = ""
    integration_id: str = ""
    text: str = ""


@dataclass(frozen=True)
class Finding:
    """One cause: a word for machines, a sentence with the next step, and what mends it."""

    cause: str
    message: str
    remedy: Remedy = Remedy("mend_sender")


@dataclass(frozen=True)
class Check:
    """One thing that was tried, and whether the request would have passed with it."""

    tried: str
    matched: bool


@dataclass(frozen=True)
class Diagnosis:
    """The causes that were found, likeliest first, and everything that was tried."""

    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]


@dataclass(frozen=True, repr=False)
class Hypothesis:
    """Something that may have gone wrong, and a test of whether that explains the request."""

    tried: str
    explains: Callable[[], bool]
    finding: Finding


def examine(hypotheses: Iterable[Hypothesis], *, otherwise: Finding) -> Diagnosis:
    """Test every hypothesis; `otherwise` is the finding where none explains the request."""
    checks: list[Check] = []
    findings: list[Finding] = []
    for hypothesis in hypotheses:
        matched = hypothesis.explains()
        checks.append(Check(hypothesis.tried, matched))
        if matched:
            findings.append(hypothesis.finding)
    return Diagnosis(tuple(findings) or (otherwise,), tuple(checks))


def told(cause: str, message: str, remedy: Remedy | None = None) -> Diagnosis:
    """Return a diagnosis that needs no trying out."""
    return Diagnosis((Finding(cause, message, remedy or Remedy("mend_sender")),), ())


def mended(noun: str) -> Finding:
    """Return the finding that a request passes as things are set now."""
    return Finding(
        "mended",
        f"The request passes with what is set now: the {noun} was changed since. Let the sender "
        "send it again.",
    )


def original_bodies(body: bytes) -> Iterator[bytes]:
    """Yield bodies from which a proxy may have made `body`: with other white space or escapes.

    The order of keys cannot be guessed back, so a body whose keys were sorted stays unexplained.
    """
    seen = {body}
    for candidate in _candidates(body):
        if candidate not in seen:
            seen.add(candidate)
            yield candidate


def _candidates(body: bytes) -> Iterator[bytes]:
    stripped = body.strip()
    yield from (stripped, stripped + b"\n", stripped + b"\r\n", b" " + stripped, stripped + b" ")
    yield body.replace(b"\r\n", b"\n")
    yield body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    yield body.replace(b"\\/", b"/")
    yield body.replace(b"/", b"\\/")
    text = body.decode("utf-8", "replace")
    yield html.unescape(text).encode()
    yield body.removeprefix(b"\xef\xbb\xbf")
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return
    if isinstance(parsed, str):
        yield parsed.encode()
    for is_ascii, form in product((False, True), _FORMS):
        try:
            made = json.dumps(parsed, ensure_ascii=is_ascii, **form).encode("utf-8", "replace")
        except (ValueError, RecursionError):
            return
        if len(made) <= _MOST_BYTES:
            yield from (made, made + b"\n")
