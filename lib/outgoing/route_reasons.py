"""Why an event went where it went: each route of its integration, and what it asked for."""

from dataclasses import dataclass

from sqlmodel import col, select

from lib.access import Actor, require_writer
from lib.events.queries import find_visible
from lib.hub import Hub
from lib.models import Destination, Route, WebhookEvent
from lib.outgoing.envelope import build_envelope, facts_of
from lib.outgoing.filters import matches, parse_filters, takes_type

_MOST_ROUTES = 50


@dataclass(frozen=True)
class RouteReason:
    """A route as it stands now; `reason` says why it does not take the event, None if it does."""

    route_id: str
    name: str
    destination_name: str
    reason: str | None


def reasons_of_event(hub: Hub, actor: Actor, event_id: str) -> list[RouteReason]:
    """Return each route of the event's integration with what it says to the event.

    Judged by the routes of today: one that was changed since may have said something else.
    Raises NotFound, and NotAllowed for an analyst, for conditions name people.
    """
    require_writer(actor)
    with hub.database.read() as session:
        event, _ = find_visible(session, actor, event_id)
        query = (
            select(Route, col(Destination.name))
            .join(Destination, col(Destination.id) == col(Route.destination_id))
            .where(col(Route.integration_id) == event.integration_id)
            .where(col(Route.deleted_at).is_(None))
            .order_by(col(Route.name), col(Route.id))
            .limit(_MOST_ROUTES)
        )
        found = session.exec(query).all()
    return [RouteReason(route.id, route.name, name, _reason(route, event)) for route, name in found]


def _reason(route: Route, event: WebhookEvent) -> str | None:
    if not route.is_active:
        return "it is paused"
    if route.created_at > event.created_at:
        return "it was made after the event came"
    if not takes_type(route.event_types, event.event_type):
        return f"it takes {', '.join(route.event_types)} and not {event.event_type}"
    if event.payload_removed_at is not None:
        return (
            "the payload is removed, so its conditions cannot be tried" if route.filters else None
        )
    envelope = build_envelope(facts_of(event))
    for row in parse_filters(route.filters):
        if not matches((row,), envelope):
            value = "" if row.value is None else f" {row.value}"
            return f"{row.path} {row.operator.replace('_', ' ')}{value} is not met"
    return None
