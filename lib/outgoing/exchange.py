"""What one outgoing request is and what came of it; no network in here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from lib.providers.targets import ErrorClass, Reply

KEPT_BODY_BYTES = 16_384
# Sentences that the worker and the process that sends share.
NO_HTTP_TEXT = (
    "The request holds signs that HTTP does not carry. Enter the destination's values again."
)
HUB_FAILED = "The hub failed while it sent this. The worker's log says why."


@dataclass(frozen=True, repr=False)
class OutgoingRequest:
    """A request to send: the full address, which may be a secret, all headers, the body."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Timings:
    """How long the steps took, in milliseconds; None for a step that did not happen."""

    total_ms: float
    dns_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    first_byte_ms: float | None = None


@dataclass(frozen=True)
class Fault:
    """Why no whole answer came: a class, and a sentence that names the next step.

    `was_sent` is False when the request certainly never reached the other side. `is_final`
    says that repeating cannot help, or might repeat an effect. `retry_after` is what the other
    side's Retry-After said, where an answer stands behind the fault.
    """

    error_class: ErrorClass
    message: str
    was_sent: bool
    is_final: bool = False
    retry_after: str | None = None


@dataclass(frozen=True)
class Exchange:
    """One attempt's end: a reply, or the fault that prevented one.

    The reply's body is its first 16 KB at most.
    """

    timings: Timings
    reply: Reply | None = None
    fault: Fault | None = None
    remote_address: str | None = None


class Sender(Protocol):
    """Sends requests; never raises for what the network or the other side does."""

    async def post(self, request: OutgoingRequest) -> Exchange:
        """Send one POST and return what came of it."""


@dataclass(frozen=True, repr=False)
class Secrets:
    """The opened secrets of a destination.

    `signing` are Standard Webhooks secrets, the present one first and during a rotation
    the one before it; `values` are those of the target's own fields.
    """

    url: str
    signing: tuple[str, ...]
    values: Mapping[str, str] = field(default_factory=dict)
