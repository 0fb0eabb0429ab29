"""Stored events with what they carried, as programs read them: the shape of live deliveries."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select

from lib.access import Actor
from lib.clock import now
from lib.connections.choices import list_choices
from lib.connections.integrations import Integration
from lib.events.queries import EventFilters, find_visible
from lib.events.windows import MANY_WINDOWS, EventSearch
from lib.hub import Hub
from lib.ids import new_id
from lib.lists.paging import Page
from lib.masking import mask_payload
from lib.models import WebhookEvent
from lib.outgoing.envelope import Envelope, EventFacts, build_envelope, facts_of
from lib.providers.registry import get_provider
from lib.providers.sending import Sample, encode_body, fill_sample
from lib.pseudonyms import Pseudonyms, names_for

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
    with hub.database.read() as session:
        asked = EventSearch(session, actor, filters)
        page = asked.page(cursor=cursor, limit=limit, windows=MANY_WINDOWS)
        ids = _fitting(session, page.rows)
        rows = _rows(session, ids)
    names = names_for(hub, actor)
    contents = [_content(row, names) for row in rows]
    if len(ids) < len(page.rows):
        return Page(contents, ids[-1])
    return Page(contents, page.next_cursor, page.searched_back_to)


def get_content(hub: Hub, actor: Actor, event_id: str) -> EventContent:
    """Return one event; raise NotFound."""
    with hub.database.read() as session:
        row, _ = find_visible(session, actor, event_id)
    return _content(row, names_for(hub, actor))


def list_samples(
    hub: Hub, actor: Actor, *, event_type: str | None, limit: int = 3
) -> list[Envelope]:
    """Return the newest envelopes of a type that still have their data, of all types for None.

    They have the keys of live deliveries, so that fields can be mapped before one arrives. While
    there is none, the samples of the services that the caller has connected stand in.
    """
    filters = EventFilters(event_type=event_type)
    kept = col(WebhookEvent.payload_removed_at).is_(None)
    with hub.database.read() as session:
        asked = EventSearch(session, actor, filters)
        rows = _rows(session, asked.page(cursor=None, limit=limit, also=kept).rows)
    if not rows:
        return _invented(hub, actor, event_type)[:limit]
    names = names_for(hub, actor)
    return [_content(row, names).envelope for row in rows]


def _invented(hub: Hub, actor: Actor, event_type: str | None) -> list[Envelope]:
    """Return the services' own samples as envelopes, one for each connection and label."""
    found = []
    for item in list_choices(hub, actor):
        for sample in get_provider(item.service_name).samples().values():
            if event_type in (None, sample.event_type):
                found.append(_envelope_of(item, sample, actor))
    return found


def _envelope_of(item: Integration, sample: Sample, actor: Actor) -> Envelope:
    envelope = build_envelope(
        EventFacts(
            id=new_id("evt"),
            event_type=sample.event_type,
            created_at=now(),
            service_name=item.service_name,
            integration_id=item.id,
            content_type=sample.content_type,
            payload=encode_body(sample.content_type, fill_sample(sample, item.config_data)),
        )
    )
    if actor.sees_masked:
        envelope["data"] = mask_payload(envelope["data"])
    return envelope


def _fitting(session: Session, ids: Sequence[str]) -> Sequence[str]:
    """Return the first of `ids` whose events fit on a page, one at least."""
    sizes = dict(
        session.exec(
            select(col(WebhookEvent.id), func.length(col(WebhookEvent.payload))).where(
                col(WebhookEvent.id).in_(ids)
            )
        ).all()
    )
    left = LARGEST_PAGE_BYTES
    for number, event_id in enumerate(ids):
        left -= sizes.get(event_id, 0)
        if number and left < 0:
            return ids[:number]
    return ids


def _rows(session: Session, ids: Sequence[str]) -> list[WebhookEvent]:
    query = select(WebhookEvent).where(col(WebhookEvent.id).in_(ids))
    return list(session.exec(query.order_by(col(WebhookEvent.id).desc())))


def _content(row: WebhookEvent, names: Pseudonyms | None) -> EventContent:
    envelope = build_envelope(facts_of(row))
    if row.payload_removed_at is not None:
        envelope["data"] = None
    elif names is not None:
        envelope["data"] = mask_payload(envelope["data"], names=names)
    return EventContent(row.status, envelope)
