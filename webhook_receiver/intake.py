"""The way of one webhook: find the endpoint, verify, store, and answer in its own way."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import orjson
import structlog

from lib.clock import now
from lib.errors import MalformedRequest, NotFound, SignatureError, StorageUnavailable
from lib.ids import new_id
from lib.intake.drafts import KEPT_BODY_BYTES, MOST_CALLED, EventDraft, RejectionDraft
from lib.intake.endpoints import Endpoint
from lib.intake.rejection_limit import RejectionLimit
from lib.intake.writer import GroupCommitWriter
from lib.log import redact_headers
from lib.providers.base import FORM, Answer, InboundRequest, ParsedEvent, Verification
from lib.settings import Settings
from lib.vault.row_secrets import MASK
from webhook_receiver.metrics import Metrics

log = structlog.get_logger()

_ADDRESS = "/api/webhooks/"


@dataclass(frozen=True)
class Arrival:
    """A request at its endpoint, before it is believed."""

    endpoint: Endpoint
    request: InboundRequest
    source_ip: str


@dataclass(frozen=True)
class Refusal:
    """Why a request is refused, and the status that says so."""

    status: int
    reason: str
    message: str
    facts: dict[str, str]


class Intake:
    """Stores verified requests as events, and refused ones with their reason."""

    def __init__(self, settings: Settings, writer: GroupCommitWriter, metrics: Metrics) -> None:
        self._settings = settings
        self._writer = writer
        self._metrics = metrics
        self._limit = RejectionLimit()

    async def accept(self, arrival: Arrival) -> Answer:
        """Verify and store a request and return its answer, once it is committed.

        Raises SignatureError or MalformedRequest after keeping the request as refused, and
        StorageUnavailable when it could not be stored.
        """
        started = time.perf_counter()
        provider = arrival.endpoint.provider
        values = arrival.endpoint.opened
        try:
            verification = arrival.endpoint.verify(arrival.request, self._settings)
            parsed = provider.parse(arrival.request)
        except SignatureError as error:
            refusal = Refusal(provider.refused_status, error.reason, error.message, error.facts)
            await self.refuse(arrival, refusal)
            raise
        except MalformedRequest as error:
            await self.refuse(arrival, Refusal(400, "malformed", error.message, {}))
            raise
        event_id = new_id("evt")
        answer = provider.answer(event_id, parsed, values)
        draft = _draft(arrival, verification, parsed, event_id=event_id, answer=answer)
        stored = await self._writer.store(draft)
        self._metrics.observe(time.perf_counter() - started)
        self._metrics.count(provider.slug, "duplicate" if stored.is_duplicate else "stored")
        return provider.answer(stored.id, parsed, values) if stored.is_duplicate else answer

    async def refuse(self, arrival: Arrival, refusal: Refusal) -> None:
        """Keep a refused request, within the limit; a failure to do so is only logged.

        The sender's answer does not depend on it: a forged request must not learn whether
        the database works.
        """
        endpoint = arrival.endpoint
        self._metrics.count(endpoint.provider.slug, refusal.reason)
        not_kept = self._limit.admit(endpoint.integration_id)
        if not_kept is None:
            return
        try:
            await self._writer.store(_rejection(arrival, refusal, not_kept))
        except StorageUnavailable as error:
            log.error("rejection_not_kept", integration=endpoint.integration_id, why=error.message)


def choose_claimant(
    claimants: list[Endpoint], request: InboundRequest, settings: Settings
) -> Endpoint:
    """Return the endpoint that a bare address means; raise NotFound when it is unclear.

    Anybody can claim an account by typing its id, so where several users do, only those
    count whose connection check the vendor has confirmed.
    """
    believing = [endpoint for endpoint in claimants if _believes(endpoint, request, settings)]
    for candidates in (believing, [item for item in believing if item.is_proven]):
        if candidates and len({item.user_id for item in candidates}) == 1:
            return candidates[0]
    if not believing and len({item.user_id for item in claimants}) == 1:
        return claimants[0]
    raise NotFound("No integration is set up for this account. Use the address shown with it.")


def _believes(endpoint: Endpoint, request: InboundRequest, settings: Settings) -> bool:
    try:
        endpoint.verify(request, settings)
    except SignatureError:
        return False
    return True


def _draft(
    arrival: Arrival,
    verification: Verification,
    parsed: ParsedEvent,
    *,
    event_id: str,
    answer: Answer,
) -> EventDraft:
    endpoint, request = arrival.endpoint, arrival.request
    is_get = request.method == "GET"
    return EventDraft(
        id=event_id,
        user_id=endpoint.user_id,
        integration_id=endpoint.integration_id,
        service_name=endpoint.provider.slug,
        event_type=parsed.event_type,
        dedupe_key=parsed.dedupe_key,
        external_id=parsed.external_id,
        method=request.method,
        # A GET carries its parameters in the query, which has the form's encoding.
        content_type=FORM if is_get else request.content_type,
        payload=request.query.encode() if is_get else request.body,
        headers=_json(redact_headers(request.headers.items())),
        source_ip=arrival.source_ip,
        verification=_json(
            {"scheme": verification.scheme, "key": verification.key, **verification.facts}
        ),
        response_code=answer.status,
        created_at=now(),
    )


def _rejection(arrival: Arrival, refusal: Refusal, not_kept: int) -> RejectionDraft:
    endpoint, request = arrival.endpoint, arrival.request
    return RejectionDraft(
        id=new_id("rej"),
        user_id=endpoint.user_id,
        integration_id=endpoint.integration_id,
        service_name=endpoint.provider.slug,
        reason=refusal.reason,
        message=refusal.message,
        facts=_json({"called": _called(request), **refusal.facts}),
        method=request.method,
        content_type=request.content_type[:200],
        headers=_json(redact_headers(request.headers.items())),
        body=request.body[:KEPT_BODY_BYTES],
        body_bytes=len(request.body),
        source_ip=arrival.source_ip,
        response_code=refusal.status,
        not_kept=not_kept,
        created_at=now(),
    )


def _called(request: InboundRequest) -> str:
    """Return path and query as they were called; of the address token only its last four."""
    path, mark, query = request.url[request.url.index(_ADDRESS) :].partition("?")
    token = path[len(_ADDRESS) :].partition("/")[2]
    shown = path.removesuffix(token) + MASK + token[-4:] if token else path
    return (shown + mark + query)[:MOST_CALLED]


def _json(fields: Mapping[str, str]) -> str:
    return orjson.dumps(fields).decode()
