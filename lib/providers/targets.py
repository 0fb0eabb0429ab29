"""The contract between the hub and a place that events are sent to.

A provider declares its targets; each says which addresses are its own, what its answers
mean, and how fast it may be called. It refuses to know queues, tables and connections.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from lib.providers.fields import CredentialField, Values
from lib.settings import Settings

Outcome = Literal["delivered", "accepted", "retry", "dead", "gone"]
# Why an attempt did not succeed, in the words that screens filter by.
ErrorClass = Literal[
    "dns",
    "connect",
    "tls",
    "timeout",
    "http_3xx",
    "http_4xx",
    "http_408",
    "http_425",
    "http_429",
    "http_5xx",
    "gone",
    "invalid_target",
    "config",
]
_TRY_AGAIN: dict[int, ErrorClass] = {408: "http_408", 425: "http_425", 429: "http_429"}


@dataclass(frozen=True)
class Reply:
    """What the other side answered; header names are lower case, `body` is its start."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Judgement:
    """What an attempt's end means for its delivery.

    delivered: the other side took it; accepted: it took it, and nothing can prove that it
    acted on it; retry: the same request may pass later; dead: repeating cannot help, or
    might repeat an effect; gone: the address was given up (410), so nothing more is sent.
    `message` is a sentence for people, None for success.
    """

    outcome: Outcome
    error_class: ErrorClass | None = None
    message: str | None = None


@dataclass(frozen=True)
class RateLimit:
    """How many requests may start: per second on average, and in any five-minute window."""

    per_second: float
    per_five_minutes: int | None = None


class Target(ABC):
    """One kind of destination. Class attributes describe it."""

    kind: ClassVar[str]
    label: ClassVar[str]
    # What its addresses look like and where to find one, in words.
    url_help: ClassVar[str]
    # What a success proves, in one sentence for the screen.
    success_note: ClassVar[str]
    rate_limit: ClassVar[RateLimit | None] = None
    most_body_bytes: ClassVar[int] = 5_000_000
    # How many requests may be under way where the destination does not say it.
    concurrency: ClassVar[int] = 50
    # False for what is done through an integration: no address, no signature, a mapping needed.
    has_address: ClassVar[bool] = True
    # Further values that a member may enter, such as a key that the other side asks for.
    fields: ClassVar[tuple[CredentialField, ...]] = ()
    # Whether a caller may subscribe such an address by itself, as REST hooks do.
    takes_subscriptions: ClassVar[bool] = False
    # Ready-made JMESPath mappings by their label.
    mappings: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def check_url(self, url: str, settings: Settings) -> None:
        """Raise InvalidInput(field="url") unless `url` is an address of this kind."""

    @abstractmethod
    def judge(self, reply: Reply) -> Judgement:
        """Say what an answer means for the delivery."""

    def headers(self, values: Values) -> dict[str, str]:
        """Return the headers that this kind asks for, from the values of `fields`."""
        return {}


def judge_status(status: int, *, success: Outcome = "delivered") -> Judgement:
    """Return what a status means by the rules of Standard Webhooks.

    2xx succeeds, 410 gives the address up, 408, 425, 429 and 5xx may pass later; a redirect
    is never followed.
    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """
    if 200 <= status < 300:
        return Judgement(success)
    if status == 410:
        return Judgement("gone", "gone", "The address was given up (410). Enter another.")
    if status >= 500:
        return Judgement("retry", "http_5xx", f"The other side failed with status {status}.")
    if status in _TRY_AGAIN:
        return Judgement("retry", _TRY_AGAIN[status], f"It asked to be called later ({status}).")
    if 300 <= status < 400:
        return Judgement(
            "dead",
            "http_3xx",
            f"It redirected ({status}), which is never followed. Enter the final address.",
        )
    return Judgement(
        "dead", "http_4xx", f"It refused the request with status {status}. See its answer."
    )
