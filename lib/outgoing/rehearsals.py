"""A route before it is saved: which of the last events it would take, and what it would send."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from lib.access import Actor
from lib.connections import integrations
from lib.errors import InvalidInput, NotFound
from lib.events import samples
from lib.hub import Hub
from lib.models import IntegrationConfig, SavedSample, WebhookEvent
from lib.outgoing.action_destinations import check_as_input
from lib.outgoing.envelope import Envelope, EventFacts, build_envelope
from lib.outgoing.filters import FilterRow, matches, parse_filters, takes_type
from lib.outgoing.mapping import apply_mapping
from lib.outgoing.route_views import RouteDraft

LOOKED_AT = 100
# A hundred payloads of the largest size would take seconds at each look.
_MOST_BYTES = 8_000_000
_COLUMNS = tuple(getattr(WebhookEvent, item.name) for item in fields(EventFacts))


@dataclass(frozen=True)
class MatchCount:
    """How many of the last events a route would take, out of how many."""

    matched: int
    looked_at: int


@dataclass(frozen=True, repr=False)
class Preview:
    """A real event and what a route would make of it: `result`, or `error` in words.

    `is_taken` says whether the route's types and filters take this event.
    """

    event_id: str
    created_at: datetime
    envelope: Envelope
    is_taken: bool
    result: Any
    error: str | None


def count_matches(hub: Hub, actor: Actor, draft: RouteDraft) -> MatchCount:
    """Return how many of the integration's last 100 events the draft would take.

    Of large events fewer are looked at; `looked_at` says how many.

    Raises InvalidInput for bad filters, NotFound for an integration of another.
    """
    rows = parse_filters(draft.filters)
    with hub.database.read() as session:
        events = _last_events(session, actor, draft.integration_id)
    taken = sum(_takes(draft, rows, build_envelope(event)) for event in events)
    return MatchCount(taken, len(events))


def preview(
    hub: Hub, actor: Actor, draft: RouteDraft, *, event_id: str | None = None
) -> Preview | None:
    """Return what the draft makes of an event; None while there is none to show.

    `event_id` may be that of a saved sample. Without it, it is the newest event that the draft
    takes; if it takes none, the newest of its types, or else the newest. A mapping that fails,
    or does not yield the input of the action that it leads to, is said in `error`.
    """
    rows = parse_filters(draft.filters)
    with hub.database.read() as session:
        owner_id = integrations.owned_row(session, actor, draft.integration_id).user_id
        if event_id is not None:
            events = [_chosen_event(session, actor, draft.integration_id, event_id)]
        else:
            events = _last_events(session, actor, draft.integration_id)
    if not events:
        return None
    # The order of preference; max keeps the first of equals, and the newest comes first.
    event = max(events, key=lambda each: _fitness(draft, rows, each))
    envelope = build_envelope(event)
    result: Any = None
    error: str | None = None
    try:
        result = apply_mapping((draft.mapping or "").strip() or None, envelope)
        with hub.database.read() as session:
            check_as_input(session, draft.destination_id, result, owner_id=owner_id)
    except (InvalidInput, NotFound) as refusal:
        error = refusal.message
    is_taken = _takes(draft, rows, envelope)
    return Preview(event.id, event.created_at, envelope, is_taken, result, error)


def _takes(draft: RouteDraft, rows: Sequence[FilterRow], envelope: Envelope) -> bool:
    return takes_type(draft.event_types, envelope["type"]) and matches(rows, envelope)


def _fitness(draft: RouteDraft, rows: Sequence[FilterRow], event: EventFacts) -> int:
    if not takes_type(draft.event_types, event.event_type):
        return 0
    return 1 + matches(rows, build_envelope(event))


def _last_events(session: Session, actor: Actor, integration_id: str) -> list[EventFacts]:
    integration = integrations.owned_row(session, actor, integration_id)
    query = (
        select(*_COLUMNS)
        .where(col(WebhookEvent.integration_id) == integration.id)
        .where(col(WebhookEvent.payload_removed_at).is_(None))
        .order_by(col(WebhookEvent.id).desc())
        .limit(LOOKED_AT)
        .execution_options(yield_per=10)
    )
    events: list[EventFacts] = []
    size = 0
    for row in session.execute(query):
        events.append(EventFacts(*row))
        size += len(events[-1].payload)
        if size > _MOST_BYTES:
            break
    return events


def _chosen_event(session: Session, actor: Actor, integration_id: str, event_id: str) -> EventFacts:
    integration = integrations.owned_row(session, actor, integration_id)
    if event_id.startswith(samples.PREFIX):
        return _of_sample(samples.find_row(session, actor, event_id), integration)
    query = select(*_COLUMNS, col(WebhookEvent.payload_removed_at)).where(
        col(WebhookEvent.id) == event_id, col(WebhookEvent.integration_id) == integration.id
    )
    row = session.execute(query).first()
    if row is None:
        raise NotFound("There is no such event of this integration. Choose another.")
    *facts, removed_at = row
    if removed_at is not None:
        raise InvalidInput(
            "The payload of this event has been removed. Choose a newer event.", field="event_id"
        )
    return EventFacts(*facts)


def _of_sample(row: SavedSample, integration: IntegrationConfig) -> EventFacts:
    """Return a sample as the event that the integration would make of it."""
    if row.service_name != integration.service_name:
        raise InvalidInput("This sample is of another service. Choose another.", field="event_id")
    return EventFacts(
        id=row.id,
        event_type=row.event_type,
        created_at=row.created_at,
        service_name=row.service_name,
        integration_id=integration.id,
        content_type=row.content_type,
        payload=row.payload,
    )
