"""Which stored events a user may see of what they ask for; the reading use cases share it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import Select

from lib.access import Actor
from lib.errors import NotAllowed, NotFound
from lib.hub import Hub
from lib.models import IntegrationConfig, WebhookEvent
from lib.providers.payloads import decode_payload
from lib.search import matching_events

Rows = Select[*tuple[Any, ...]]


@dataclass(frozen=True)
class EventFilters:
    """What a list is narrowed to; None and an empty text mean everything."""

    service_name: str | None = None
    event_type: str | None = None
    status: str | None = None
    integration_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    search: str = ""


def visible(actor: Actor, *columns: Any) -> Rows:
    """Return a select of `columns` over the events that `actor` may see."""
    query: Rows = select(*columns).join(
        IntegrationConfig, col(IntegrationConfig.id) == col(WebhookEvent.integration_id)
    )
    return query if actor.sees_all else query.where(col(WebhookEvent.user_id) == actor.id)


def filtered(hub: Hub, actor: Actor, filters: EventFilters, *columns: Any) -> Rows:
    """Return a select of `columns` over the visible events that match.

    Raises NotAllowed when an analyst searches: a hit would tell that a contact exists.
    """
    query = visible(actor, *columns)
    for column, value in (
        (col(WebhookEvent.service_name), filters.service_name),
        (col(WebhookEvent.event_type), filters.event_type),
        (col(WebhookEvent.status), filters.status),
        (col(WebhookEvent.integration_id), filters.integration_id),
    ):
        if value:
            query = query.where(column == value)
    if filters.since is not None:
        query = query.where(col(WebhookEvent.created_at) >= filters.since)
    if filters.until is not None:
        query = query.where(col(WebhookEvent.created_at) < filters.until)
    if filters.search.strip():
        if actor.sees_masked:
            raise NotAllowed("Analysts cannot search contacts. Use the other filters.")
        found = matching_events(filters.search, is_sqlite=hub.database.is_sqlite)
        query = query.where(col(WebhookEvent.id).in_(found))
    return query


def find_visible(session: Session, actor: Actor, event_id: str) -> tuple[WebhookEvent, str]:
    """Return an event with its integration's name; raise NotFound."""
    query = visible(actor, WebhookEvent, col(IntegrationConfig.name))
    found = session.exec(query.where(col(WebhookEvent.id) == event_id)).first()
    if found is None:
        raise NotFound("There is no such event. Go back to the activity list.")
    return found[0], found[1]


def payload_of(event: WebhookEvent) -> Any:
    """Return what an event carried, decoded; None once retention has removed it."""
    if event.payload_removed_at is not None:
        return None
    return decode_payload(event.content_type, event.payload)
