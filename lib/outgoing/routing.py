"""From processed events to deliveries: which routes take an event, and where they send it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select
from sqlmodel import Session, col

from lib.clock import now
from lib.ids import new_id
from lib.models import Delivery, Destination, IntegrationConfig, Route
from lib.outgoing.envelope import EventFacts, build_envelope
from lib.outgoing.filters import FilterRow, matches, parse_filters, takes_type


@dataclass(frozen=True)
class ActiveRoute:
    """A route as the worker needs it, its filters parsed once per batch."""

    id: str
    destination_id: str
    event_types: Sequence[str]
    filters: tuple[FilterRow, ...]
    mapping: str | None


@dataclass(frozen=True, repr=False)
class RoutedEvent:
    """An event and whose it is."""

    user_id: str
    facts: EventFacts


RoutesByIntegration = Mapping[str, Sequence[ActiveRoute]]


def load_routes(session: Session, integration_ids: set[str]) -> RoutesByIntegration:
    """Return the active routes of active integrations.

    A paused or disabled destination still gets its deliveries: they wait in the queue.
    """
    query = (
        select(Route)
        .join(IntegrationConfig, col(IntegrationConfig.id) == col(Route.integration_id))
        .join(Destination, col(Destination.id) == col(Route.destination_id))
        .where(
            col(Route.integration_id).in_(integration_ids),
            col(Route.is_active),
            col(Route.deleted_at).is_(None),
            col(IntegrationConfig.is_active),
            col(Destination.deleted_at).is_(None),
        )
        .order_by(col(Route.id))
    )
    found: defaultdict[str, list[ActiveRoute]] = defaultdict(list)
    for row in session.execute(query).scalars():
        found[row.integration_id].append(
            ActiveRoute(
                id=row.id,
                destination_id=row.destination_id,
                event_types=row.event_types,
                filters=parse_filters(row.filters),
                mapping=row.mapping,
            )
        )
    return found


def routes_for(event: EventFacts, routes: Sequence[ActiveRoute]) -> list[ActiveRoute]:
    """Return the routes that take an event."""
    by_type = [route for route in routes if takes_type(route.event_types, event.event_type)]
    if not any(route.filters for route in by_type):
        return by_type
    document = build_envelope(event)
    return [route for route in by_type if matches(route.filters, document)]


def enqueue(session: Session, routed: Sequence[tuple[RoutedEvent, ActiveRoute]]) -> None:
    """Add one pending delivery for each event and route, in the order given.

    A destination that was removed since its routes were read gets none.
    """
    moment, open_ids = now(), _hold_destinations(session, routed)
    rows = [
        {
            "id": new_id("dlv"),
            "user_id": event.user_id,
            "event_id": event.facts.id,
            "destination_id": route.destination_id,
            "route_id": route.id,
            "integration_id": event.facts.integration_id,
            "service_name": event.facts.service_name,
            "event_type": event.facts.event_type,
            "mapping": route.mapping,
            "status": "pending",
            "attempts": 0,
            "next_attempt_at": moment,
            "created_at": moment,
        }
        for event, route in routed
        if route.destination_id in open_ids
    ]
    if rows:
        session.execute(insert(Delivery), rows)


def _hold_destinations(
    session: Session, routed: Sequence[tuple[RoutedEvent, ActiveRoute]]
) -> set[str]:
    """Keep the destinations from being removed until the end, and return those that still are.

    A removal cancels what is queued by then and no more, so what comes after it stays for ever.
    """
    chosen = (
        select(col(Destination.id))
        .where(
            col(Destination.id).in_({route.destination_id for _, route in routed}),
            col(Destination.deleted_at).is_(None),
        )
        .order_by(col(Destination.id))
        .with_for_update(read=True)
    )
    return set(session.execute(chosen).scalars()) if routed else set()
