"""Stored events with what they carried, as programs read them: the shape of live deliveries."""

from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select

from lib.access import Actor
from lib.event_queries import EventFilters, filtered, find_visible
from lib.hub import Hub
from lib.masking import mask_payload
from lib.models import WebhookEvent
from lib.outgoing.envelope import Envelope, EventFacts, build_envelope
from lib.paging import Page, check_limit

# A page ends early rather than be larger: Zapier takes 20 MB, and a process must hold it.
LARGEST_PAGE_BYTES = 4_000_000


@dataclass(frozen=True, repr=False)
class EventContent:
    """An event's status and its envelope, `data` None once retention has removed it."""

    status: str
    envelope: Envelope


def list_contents(
    hub: Hub,
    actor: Actor,
    filters: EventFilters,
    *,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[EventContent]:
    """Return the newest matching events that `actor` may see, before `cursor` if given.

    A page has fewer than `limit` rows where more would be too large; the cursor goes on.
    """
    sizes = filtered(
        hub, actor, filters, col(WebhookEvent.id), func.length(col(WebhookEvent.payload))
    ).order_by(col(WebhookEvent.id).desc())
    if cursor is not None:
        sizes = sizes.where(col(WebhookEvent.id) < cursor)
    with hub.database.read() as session:
        found = session.exec(sizes.limit(check_limit(limit) + 1)).all()
        ids = _fitting([(str(event_id), int(size)) for event_id, size in found[:limit]])
        rows = _rows(session, ids)
    contents = [_content(row, actor) for row in rows]
    return Page(contents, ids[-1] if len(found) > len(ids) else None)


def get_content(hub: Hub, actor: Actor, event_id: str) -> EventContent:
    """Return one event; raise NotFound."""
    with hub.database.read() as session:
        row, _ = find_visible(session, actor, event_id)
    return _content(row, actor)


def list_samples(
    hub: Hub, actor: Actor, *, event_type: str | None, limit: int = 3
) -> list[Envelope]:
    """Return the newest envelopes of a type that still have their data, of all types for None.

    They have the keys of live deliveries, so that fields can be mapped before one arrives.
    """
    filters = EventFilters(event_type=event_type)
    query = filtered(hub, actor, filters, col(WebhookEvent.id))
    query = query.where(col(WebhookEvent.payload_removed_at).is_(None))
    with hub.database.read() as session:
        newest = query.order_by(col(WebhookEvent.id).desc()).limit(check_limit(limit))
        rows = _rows(session, [str(event_id) for event_id in session.exec(newest)])
    return [_content(row, actor).envelope for row in rows]


def _fitting(found: list[tuple[str, int]]) -> list[str]:
    """Return the ids of the first events that fit on a page, one at least."""
    ids: list[str] = []
    left = LARGEST_PAGE_BYTES
    for event_id, size in found:
        left -= size
        if ids and left < 0:
            break
        ids.append(event_id)
    return ids


def _rows(session: Session, ids: list[str]) -> list[WebhookEvent]:
    query = select(WebhookEvent).where(col(WebhookEvent.id).in_(ids))
    return list(session.exec(query.order_by(col(WebhookEvent.id).desc())))


def _content(row: WebhookEvent, actor: Actor) -> EventContent:
    envelope = build_envelope(
        EventFacts(
            id=row.id,
            event_type=row.event_type,
            created_at=row.created_at,
            service_name=row.service_name,
            integration_id=row.integration_id,
            content_type=row.content_type,
            payload=row.payload,
        )
    )
    if row.payload_removed_at is not None:
        envelope["data"] = None
    elif actor.sees_masked:
        envelope["data"] = mask_payload(envelope["data"])
    return EventContent(row.status, envelope)
