"""Taking a refused request in by hand: staff vouch for it once, and it becomes an event."""

import json

import orjson
from sqlmodel import Session, col, select

from lib import audit
from lib.access import Actor, require_staff
from lib.clock import now
from lib.errors import HubError, InvalidInput, MalformedRequest
from lib.hub import Hub
from lib.ids import new_id
from lib.intake.drafts import EventDraft, Stored
from lib.intake.rejections import get_rejection
from lib.intake.sinks import open_sink
from lib.log import REDACTED
from lib.models import IntegrationConfig, RejectedRequest, WebhookEvent
from lib.providers.base import FORM, InboundRequest
from lib.providers.registry import get_provider

_NOT_TAKEN = frozenset({"too_large", "malformed"})


def accept_once(hub: Hub, actor: Actor, rejection_id: str) -> Stored:
    """Store a refused request as an event that says who accepted it; staff alone.

    Returns the event's id, and whether the hub had the same event already. Raises InvalidInput
    when its body was not kept whole or cannot be read.
    """
    get_rejection(hub, actor, rejection_id)
    require_staff(actor)
    with hub.database.read() as session:
        row = session.get_one(RejectedRequest, rejection_id)
        integration = session.get_one(IntegrationConfig, row.integration_id)
        known = _event_of(session, row)
    if row.reason in _NOT_TAKEN or len(row.body) < row.body_bytes:
        raise InvalidInput(
            "This request cannot become an event: its body was not kept whole, or cannot be read.",
            field="body",
        )
    if integration.deleted_at is not None:
        raise InvalidInput("The integration is removed. Nothing is stored for it.", field="id")
    if known is not None:
        return Stored(known, True)
    stored = _store(hub, _draft(row, actor))
    with hub.database.write() as session:
        audit.record(session, actor, "rejection.accepted", row.id, event=stored.id)
    return stored


def _event_of(session: Session, row: RejectedRequest) -> str | None:
    """Return the event that this request became before; a body and a minute are no lasting key."""
    query = (
        select(col(WebhookEvent.id))
        .where(col(WebhookEvent.integration_id) == row.integration_id)
        .where(col(WebhookEvent.created_at) >= row.created_at)
        .where(col(WebhookEvent.verification).contains(row.id, autoescape=True))
    )
    return session.exec(query).first()


def _draft(row: RejectedRequest, actor: Actor) -> EventDraft:
    provider = get_provider(row.service_name)
    request = _request(row)
    try:
        parsed = provider.parse(request)
    except MalformedRequest as error:
        raise InvalidInput(error.message, field="body") from error
    event_id = new_id("evt")
    is_get = row.method == "GET"
    proof = {"scheme": "accepted by staff", "key": "none", "accepted by": actor.email}
    return EventDraft(
        id=event_id,
        user_id=row.user_id,
        integration_id=row.integration_id,
        service_name=row.service_name,
        event_type=parsed.event_type,
        dedupe_key=parsed.dedupe_key,
        external_id=parsed.external_id,
        method=row.method,
        content_type=FORM if is_get else row.content_type,
        payload=request.query.encode() if is_get else row.body,
        headers=row.headers,
        source_ip=row.source_ip,
        verification=orjson.dumps({**proof, "refused as": row.reason, "refused": row.id}).decode(),
        response_code=row.response_code,
        created_at=now(),
    )


def _request(row: RejectedRequest) -> InboundRequest:
    headers = json.loads(row.headers)
    # What was masked is no id: all masked keys would be one event.
    known = {name: text for name, text in headers.items() if text != REDACTED}
    known.setdefault("content-type", row.content_type)
    called = json.loads(row.facts).get("called", "")
    query = called.partition("?")[2]
    return InboundRequest(row.method, called, query, known, row.body)


def _store(hub: Hub, draft: EventDraft) -> Stored:
    sink = open_sink(hub.database)
    try:
        (outcome,) = sink.write([draft])
    finally:
        sink.close()
    if isinstance(outcome, HubError):
        raise outcome
    return outcome
