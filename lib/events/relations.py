"""What else is about the same contact, message or call: over all services of one member."""

from dataclasses import dataclass

from sqlalchemy import select as select_columns
from sqlalchemy import union_all
from sqlmodel import Session, col, select

from lib.access import Actor
from lib.events.queries import find_visible, own_values
from lib.events.reading import EventRow, view_row
from lib.hub import Hub
from lib.models import EventKey, IntegrationConfig, WebhookEvent
from lib.pseudonyms import names_for

MOST_RELATED = 50
_KINDS = ("phone", "email", "contact_id", "sid", "id")
# Of one value the newest entries alone are looked at, so that a busy one costs no more.
_LOOKED_AT = 200
_MOST_VALUES = 20


@dataclass(frozen=True)
class Related:
    """An event that shares something with another; `shared` names the kinds."""

    row: EventRow
    shared: tuple[str, ...]


def related_events(hub: Hub, actor: Actor, event_id: str) -> list[Related]:
    """Return the newest 50 events of the same member that share a key; raise NotFound.

    The member's own number is in most events and relates nothing, so it is left out.
    """
    with hub.database.read() as session:
        event, _ = find_visible(session, actor, event_id)
        kinds = _telling_keys(session, event)
        if not kinds:
            return []
        shared = _sharing(session, event, kinds)
        query = (
            select(WebhookEvent, col(IntegrationConfig.name))
            .join(IntegrationConfig, col(IntegrationConfig.id) == col(WebhookEvent.integration_id))
            .where(col(WebhookEvent.id).in_(sorted(shared, reverse=True)[: 4 * MOST_RELATED]))
            .where(col(WebhookEvent.user_id) == event.user_id)
            .order_by(col(WebhookEvent.id).desc())
            .limit(MOST_RELATED)
        )
        found = session.exec(query).all()
    names = names_for(hub, actor)
    return [
        Related(view_row(each, name, names), tuple(sorted(shared[each.id]))) for each, name in found
    ]


def _telling_keys(session: Session, event: WebhookEvent) -> dict[str, str]:
    """Return the kind by value of the keys that tell what an event is about."""
    query = (
        select(EventKey)
        .where(col(EventKey.event_id) == event.id, col(EventKey.kind).in_(_KINDS))
        .order_by(col(EventKey.kind), col(EventKey.value))
    )
    own = own_values(event)
    kept = [key for key in session.exec(query) if key.value not in own]
    return {key.value: key.kind for key in kept[:_MOST_VALUES]}


def _sharing(session: Session, event: WebhookEvent, kinds: dict[str, str]) -> dict[str, set[str]]:
    newest = [
        select_columns(
            select_columns(col(EventKey.event_id), col(EventKey.value))
            .where(col(EventKey.value) == value)
            .order_by(col(EventKey.event_id).desc())
            .limit(_LOOKED_AT)
            .subquery()
        )
        for value in kinds
    ]
    shared: dict[str, set[str]] = {}
    for other_id, value in session.execute(union_all(*newest)):
        if other_id != event.id:
            shared.setdefault(other_id, set()).add(kinds[value])
    return shared
