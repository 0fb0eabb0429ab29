"""One attempt of a delivery: render, sign, send, judge. The worker and the test button share it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

from lib.clock import now
from lib.errors import InvalidInput
from lib.log import redact_headers
from lib.outgoing.envelope import Envelope
from lib.outgoing.exchange import (
    Exchange,
    Fault,
    OutgoingRequest,
    Secrets,
    Sender,
    Timings,
)
from lib.outgoing.mapping import apply_mapping
from lib.outgoing.signing import signature_headers
from lib.providers.targets import Judgement, Target

_USER_AGENT = "MembersHub/1"
_NO_ANSWER = Fault("connect", "No answer came. It is tried again.", was_sent=True)


@dataclass(frozen=True, repr=False)
class Job:
    """What an attempt needs; `delivery_id` is the webhook-id that stays over all attempts."""

    delivery_id: str
    target: Target
    secrets: Secrets
    document: Envelope
    mapping: str | None


@dataclass(frozen=True, repr=False)
class AttemptResult:
    """What was sent, what came of it, and what that means; headers are redacted."""

    judgement: Judgement
    exchange: Exchange
    request_headers: Mapping[str, str]
    body: bytes
    started_at: datetime


def not_sent(judgement: Judgement) -> AttemptResult:
    """Return the result of an attempt that ended before anything was sent."""
    return AttemptResult(judgement, Exchange(Timings(0.0)), {}, b"", now())


async def make_attempt(job: Job, sender: Sender) -> AttemptResult:
    """Send the job's document once and judge the end; faults are results, never raised."""
    started_at = now()
    try:
        body = render_body(job)
        headers = sent_headers(job, body, started_at) if job.target.has_address else {}
    except InvalidInput as error:
        return not_sent(Judgement("dead", "config", error.message))
    exchange = await sender.post(OutgoingRequest(job.secrets.url, headers, body))
    return AttemptResult(
        judge(job.target, exchange),
        exchange,
        redact_headers(headers.items()),
        body,
        started_at,
    )


def sent_headers(job: Job, body: bytes, moment: datetime) -> dict[str, str]:
    """Return the headers of an attempt at `moment`, with signatures and the target's values."""
    return {
        "content-type": "application/json",
        "user-agent": _USER_AGENT,
        **job.target.headers(job.secrets.values),
        **signature_headers(job.delivery_id, moment, body, secrets=job.secrets.signing),
    }


def render_body(job: Job) -> bytes:
    """Return the mapped document as JSON; raise InvalidInput when it cannot be sent.

    The same job renders to the same bytes each time.
    """
    mapped = apply_mapping(job.mapping, job.document)
    try:
        body = orjson.dumps(mapped)
    except TypeError:
        # orjson refuses integers over 64 bits and lone surrogates; the sender's payload had them.
        body = json.dumps(mapped).encode()
    if len(body) > job.target.most_body_bytes:
        raise InvalidInput(
            f"The body has {len(body)} bytes, and {job.target.label} takes "
            f"{job.target.most_body_bytes}. Send less by a mapping.",
            field="mapping",
        )
    return body


def judge(target: Target, exchange: Exchange) -> Judgement:
    """Return what the end of an exchange means for the delivery."""
    if exchange.reply is not None:
        return target.judge(exchange.reply)
    fault = exchange.fault or _NO_ANSWER
    if fault.is_final or fault.error_class == "invalid_target":
        return Judgement("dead", fault.error_class, fault.message)
    return Judgement("retry", fault.error_class, fault.message)
