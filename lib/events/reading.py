"""Reading stored events: lists by filter, one in detail, masked where the role asks for it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func
from sqlalchemy import select as sql_select
from sqlmodel import col, select

from lib import audit
from lib.access import Actor, require_writer
from lib.clock import now
from lib.codes import codes_in, explain
from lib.errors import InvalidInput
from lib.events.queries import EventFilters as EventFilters
from lib.events.queries import find_visible, payload_of, visible
from lib.events.windows import EventSearch
from lib.hub import Hub
from lib.lists.paging import LARGEST_PAGE, Page
from lib.masking import HIDDEN, mask_key, mask_payload
from lib.models import EventKey, IntegrationConfig, WebhookEvent
from lib.processing.message_states import Progress, find_progress
from lib.providers.explanations import Explanation
from lib.providers.registry import get_provider
from lib.pseudonyms import Pseudonyms, names_for

MOST_COUNTED = 10_000
_COUNTED_WINDOWS = 50
STATUSES = ("pending", "success", "failed")
_SHOWN_FACTS = frozenset({"scheme", "key"})


@dataclass(frozen=True)
class EventRow:
    """One line of a list."""

    id: str
    created_at: datetime
    service_name: str
    event_type: str
    status: str
    integration_id: str
    integration_name: str
    summary: str
    external_id: str | None
    duplicates: int
    response_code: int


@dataclass(frozen=True)
class EventCount:
    """How many events were found to match, and whether those are all."""

    count: int
    is_all: bool


@dataclass(frozen=True)
class EventDetail:
    """Everything that is known of one event."""

    row: EventRow
    payload: Any
    headers: Mapping[str, str]
    verification: Mapping[str, str]
    keys: tuple[tuple[str, str], ...]
    method: str
    content_type: str
    payload_bytes: int
    source_ip: str
    error: str | None
    payload_removed_after_days: int | None
    # How far the message or call that it is about has come by now.
    progress: Progress | None = None
    # The vendor's own page about it, and what the error codes that it names mean.
    console_url: str | None = None
    explanations: tuple[Explanation, ...] = ()


def list_events(
    hub: Hub,
    actor: Actor,
    filters: EventFilters,
    *,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[EventRow]:
    """Return the newest matching events that `actor` may see, before `cursor` if given.

    A page may end before it is full, see `lib.lists.paging.Page`. Raises NotAllowed when an analyst
    searches: a hit would tell that a contact exists.
    """
    with hub.database.read() as session:
        page = EventSearch(session, actor, filters).page(cursor=cursor, limit=limit)
        query = visible(actor, WebhookEvent, col(IntegrationConfig.name))
        newest = query.where(col(WebhookEvent.id).in_(page.rows)).order_by(
            col(WebhookEvent.id).desc()
        )
        found = session.exec(newest).all() if page.rows else []
    names = names_for(hub, actor)
    rows = [view_row(event, name, names) for event, name in found]
    return Page(rows, page.next_cursor, page.searched_back_to)


def count_events(hub: Hub, actor: Actor, filters: EventFilters) -> EventCount:
    """Return how many events match, by looking at them; raise what `list_events` raises.

    It stops at 10,000, or once the newest fifty thousand have been gone through for one page.
    """
    count, cursor = 0, None
    with hub.database.read() as session:
        asked = EventSearch(session, actor, filters)
        while count < MOST_COUNTED:
            page = asked.page(cursor=cursor, limit=LARGEST_PAGE, windows=_COUNTED_WINDOWS)
            count, cursor = count + len(page.rows), page.next_cursor
            if cursor is None or page.searched_back_to is not None:
                break
    return EventCount(min(count, MOST_COUNTED), is_all=cursor is None)


def get_event(hub: Hub, actor: Actor, event_id: str) -> EventDetail:
    """Return one event with payload, headers and proof; raise NotFound."""
    with hub.database.read() as session:
        event, name = find_visible(session, actor, event_id)
        keys = session.exec(select(EventKey).where(col(EventKey.event_id) == event_id)).all()
        progress = find_progress(session, event.integration_id, event.external_id)
        values = session.get_one(IntegrationConfig, event.integration_id).config_data
    if progress and actor.sees_masked:
        progress = replace(progress, sid=HIDDEN)
    names = names_for(hub, actor)
    payload = payload_of(event)
    headers = json.loads(event.headers)
    return EventDetail(
        row=view_row(event, name, names),
        payload=mask_payload(payload, names=names) if names else payload,
        headers=dict.fromkeys(headers, HIDDEN) if actor.sees_masked else headers,
        verification=_proof(json.loads(event.verification), actor),
        keys=tuple((key.kind, mask_key(key.kind, key.value, names)) for key in keys),
        method=event.method,
        content_type=event.content_type,
        payload_bytes=len(event.payload),
        source_ip=HIDDEN if actor.sees_masked else event.source_ip,
        error=HIDDEN if actor.sees_masked and event.error else event.error,
        payload_removed_after_days=_removed_after_days(event),
        progress=progress,
        console_url=None if actor.sees_masked else _console_url(event, payload, values),
        explanations=_explain(event, payload, progress),
    )


def retry_event(hub: Hub, actor: Actor, event_id: str) -> None:
    """Hand a failed event to the worker again; raise InvalidInput for any other status."""
    require_writer(actor)
    with hub.database.write() as session:
        event, _ = find_visible(session, actor, event_id)
        session.refresh(event, with_for_update=True)
        if event.payload_removed_at is not None:
            raise InvalidInput(
                f"{_removal(event)}, so there is nothing left to process. Ask the service to "
                "send it again.",
                field="payload",
            )
        if event.status != "failed":
            raise InvalidInput(
                f"Only a failed event can be processed again; this one is {event.status}.",
                field="status",
            )
        event.status, event.attempts, event.due_at, event.lease_id = (
            "pending",
            0,
            now(),
            None,
        )
        audit.record(session, actor, "event.retried", event_id)


def list_event_types(hub: Hub, actor: Actor) -> list[str]:
    """Return the event types that `actor` has received, by name."""
    with hub.database.read() as session:
        return list(session.execute(_types_of(actor)).scalars())


def _types_of(actor: Actor) -> Select[tuple[str]]:
    """Return a select that hops from one type to the next over an index of the events."""
    column = col(WebhookEvent.event_type)
    own = [] if actor.sees_all else [col(WebhookEvent.user_id) == actor.id]
    first = sql_select(func.min(column).label("name")).where(*own)
    hops = first.cte("hops", recursive=True)
    following = sql_select(func.min(column)).where(column > hops.c.name, *own)
    hops = hops.union_all(sql_select(following.scalar_subquery()).where(hops.c.name.is_not(None)))
    return sql_select(hops.c.name).where(hops.c.name.is_not(None)).order_by(hops.c.name)


def _proof(facts: dict[str, str], actor: Actor) -> dict[str, str]:
    """Return how a request was proven; an analyst sees by what, not the account's facts."""
    if not actor.sees_masked:
        return facts
    return {name: facts[name] if name in _SHOWN_FACTS else HIDDEN for name in facts}


def _console_url(event: WebhookEvent, payload: Any, values: Mapping[str, str]) -> str | None:
    return get_provider(event.service_name).console_url(payload, values)


def _explain(
    event: WebhookEvent, payload: Any, progress: Progress | None
) -> tuple[Explanation, ...]:
    """Return what the codes of the event and of its message mean; codes name no person."""
    now_stands = explain(event.service_name, progress.error_code) if progress else None
    found = (*([now_stands] if now_stands else []), *codes_in(payload, event.service_name))
    return tuple(dict.fromkeys(found))


def _removed_after_days(event: WebhookEvent) -> int | None:
    removed_at = event.payload_removed_at
    return None if removed_at is None else (removed_at - event.created_at).days


def _removal(event: WebhookEvent) -> str:
    days = _removed_after_days(event)
    return f"Payload removed after {days} day{'' if days == 1 else 's'}"


def _summary(event: WebhookEvent, names: Pseudonyms | None) -> str:
    if event.payload_removed_at is not None:
        return _removal(event)
    payload = payload_of(event)
    shown = mask_payload(payload, names=names) if names else payload
    return get_provider(event.service_name).summarize(event.event_type, shown)


def view_row(event: WebhookEvent, integration_name: str, names: Pseudonyms | None) -> EventRow:
    """Return an event as a list shows it; with `names`, as an analyst may see it."""
    return EventRow(
        id=event.id,
        created_at=event.created_at,
        service_name=event.service_name,
        event_type=event.event_type,
        status=event.status,
        integration_id=event.integration_id,
        integration_name=integration_name,
        summary=_summary(event, names),
        external_id=HIDDEN if names and event.external_id else event.external_id,
        duplicates=event.duplicates,
        response_code=event.response_code,
    )
