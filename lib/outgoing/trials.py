"""The test of a destination: one marked envelope on the way that every delivery takes."""

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import orjson

from lib import audit
from lib.access import Actor
from lib.clock import now
from lib.errors import InvalidInput
from lib.hub import Hub
from lib.ids import new_id
from lib.log import REDACTED, redact_text
from lib.outgoing.attempt import AttemptResult, Job, make_attempt
from lib.outgoing.destination_rows import owned_row
from lib.outgoing.destination_secrets import open_secrets
from lib.outgoing.envelope import Envelope, EventFacts, build_envelope
from lib.outgoing.exchange import KEPT_BODY_BYTES, Secrets, Sender, Timings
from lib.outgoing.hook_sender import HookSender
from lib.providers.registry import get_target
from lib.providers.targets import Judgement
from lib.settings import Settings

TEST_TYPE = "hub.test"
# A shorter path, such as /hook, is no secret, and the answer may say it for its own reasons.
_SECRET_FROM = 8


@dataclass(frozen=True)
class Trial:
    """What came of one test; `answer` is the start of the other side's body as text."""

    judgement: Judgement
    status: int | None
    timings: Timings
    remote_address: str | None
    sent_bytes: int
    answer: str
    started_at: datetime


def send_test(hub: Hub, actor: Actor, destination_id: str) -> Trial:
    """Send a test envelope once and return what came of it; nothing of it is stored.

    A pause, a disabled address and limits do not stop it, and its end changes none of them.
    Runs an event loop of its own, so it is called from a thread without one.
    """
    with hub.database.read() as session:
        row, _ = owned_row(session, actor, destination_id)
    target = get_target(row.kind)
    if not target.has_address:
        raise InvalidInput(
            "A test would really do it. Try the action on its integration's page, under Actions.",
            field="kind",
        )
    secrets = open_secrets(hub.vault, row, now())
    job = Job(new_id("dlv"), target, secrets, _test_envelope(), None)
    result = asyncio.run(_send(job, hub.settings))
    with hub.database.write() as session:
        outcome = result.judgement.outcome
        audit.record(session, actor, "destination.tested", row.id, name=row.name, outcome=outcome)
    return _trial(result, secrets)


def open_sender(settings: Settings) -> AbstractAsyncContextManager[Sender]:
    """Return the sender of the worker: the same guard against inner addresses, the same caps."""
    return HookSender(settings.allowed_private_networks)


async def _send(job: Job, settings: Settings) -> AttemptResult:
    async with open_sender(settings) as sender:
        return await make_attempt(job, sender)


def _test_envelope() -> Envelope:
    text = "This is a test from Members Hub. Nothing happened; you may ignore it."
    return build_envelope(
        EventFacts(
            id=new_id("evt"),
            event_type=TEST_TYPE,
            created_at=now(),
            service_name="test",
            integration_id="test",
            content_type="application/json",
            payload=orjson.dumps({"test": True, "message": text}),
        )
    )


def _trial(result: AttemptResult, secrets: Secrets) -> Trial:
    reply = result.exchange.reply
    body = reply.body[:KEPT_BODY_BYTES] if reply else b""
    return Trial(
        judgement=result.judgement,
        status=reply.status if reply else None,
        timings=result.exchange.timings,
        remote_address=result.exchange.remote_address,
        sent_bytes=len(result.body),
        answer=_without_secrets(body.decode("utf-8", "replace"), secrets),
        started_at=result.started_at,
    )


def _without_secrets(text: str, secrets: Secrets) -> str:
    """Mask what an answer repeats of the request: echo services send all of it back."""
    parts = urlsplit(secrets.url)
    # Segment by segment as well: many answers write a slash as \/.
    known = [secrets.url, parts.path, parts.query, *parts.path.split("/")]
    known += [*secrets.signing, *secrets.values.values()]
    for secret in sorted(known, key=len, reverse=True):
        if len(secret) >= _SECRET_FROM:
            text = text.replace(secret, REDACTED)
    return redact_text(text)
