"""Which stored events a user may see of what they ask for; the reading use cases share it."""

from typing import Any

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import Select

from lib.access import Actor
from lib.errors import NotFound
from lib.events.conditions import EventFilters as EventFilters
from lib.models import IntegrationConfig, WebhookEvent
from lib.providers.payloads import decode_payload
from lib.providers.registry import get_provider

Rows = Select[*tuple[Any, ...]]


def visible(actor: Actor, *columns: Any) -> Rows:
    """Return a select of `columns` over the events that `actor` may see."""
    query: Rows = select(*columns).join(
        IntegrationConfig, col(IntegrationConfig.id) == col(WebhookEvent.integration_id)
    )
    return query if actor.sees_all else query.where(col(WebhookEvent.user_id) == actor.id)


def find_visible(session: Session, actor: Actor, event_id: str) -> tuple[WebhookEvent, str]:
    """Return an event with its integration's name; raise NotFound."""
    query = visible(actor, WebhookEvent, col(IntegrationConfig.name))
    found = session.exec(query.where(col(WebhookEvent.id) == event_id)).first()
    if found is None:
        raise NotFound("There is no such event. Go back to the activity list.")
    return found[0], found[1]


def own_values(event: WebhookEvent) -> set[str]:
    """Return the member's own numbers among an event's keys, by its vendor's rule."""
    provider = get_provider(event.service_name)
    return {value for _, value in provider.own_keys(event.event_type, payload_of(event))}


def payload_of(event: WebhookEvent) -> Any:
    """Return what an event carried, decoded; None once retention has removed it."""
    if event.payload_removed_at is not None:
        return None
    return decode_payload(event.content_type, event.payload)
