"""Which events of an integration go to which destination: add, change, pause, remove, list.

A route, its integration and its destination belong to one member; staff act for that member.
"""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import Select

from lib import audit
from lib.access import Actor, require_writer
from lib.clock import now
from lib.connections import integrations
from lib.errors import InvalidInput, NotFound
from lib.hub import Hub
from lib.ids import new_id
from lib.lists.paging import Page, check_limit
from lib.models import Destination, IntegrationConfig, Route
from lib.outgoing.action_destinations import action_kinds
from lib.outgoing.destination_rows import locked_row, owned_row
from lib.outgoing.filters import parse_filters, stored_filters
from lib.outgoing.mapping import check_mapping
from lib.outgoing.route_views import RouteDraft as RouteDraft
from lib.outgoing.route_views import RouteView as RouteView
from lib.outgoing.route_views import view

ALL_TYPES = "*"
_MOST_TYPES = 50
_TYPE_LENGTH = 200
_NAME_LENGTH = 170

Joined = tuple[Route, IntegrationConfig, Destination]


def add(hub: Hub, actor: Actor, draft: RouteDraft) -> RouteView:
    """Store a new route; raise InvalidInput naming the first bad field.

    Raises NotFound unless both ends are the actor's to change, NotAllowed for analysts.
    """
    with hub.database.write() as session:
        return _add(session, actor, draft)


def add_once(hub: Hub, actor: Actor, draft: RouteDraft) -> None:
    """Store a route unless its two ends have one already; raises as `add` does."""
    existing = select(Route.id).where(
        col(Route.integration_id) == draft.integration_id,
        col(Route.destination_id) == draft.destination_id,
        col(Route.deleted_at).is_(None),
    )
    with hub.database.write() as session:
        # Whoever adds the same at this moment waits here, and then sees it.
        locked_row(session, actor, draft.destination_id)
        if session.exec(existing).first() is None:
            _add(session, actor, draft)


def update(hub: Hub, actor: Actor, route_id: str, draft: RouteDraft) -> RouteView:
    """Replace what a route says; deliveries that are queued keep the mapping they have."""
    with hub.database.write() as session:
        row, source, target = _own(session, actor, route_id)
        before = _facts(row, source, target)
        integration, destination = _ends(session, actor, draft)
        if integration.user_id != row.user_id:
            raise InvalidInput(
                "This integration belongs to another member. Choose one of the route's owner.",
                field="integration_id",
            )
        row.integration_id, row.destination_id = integration.id, destination.id
        _fill(row, draft, integration, destination)
        changes = audit.difference(before, _facts(row, integration, destination))
        _changed(session, actor, "route.updated", row, changes=changes)
        return view(row, integration, destination)


def pause(hub: Hub, actor: Actor, route_id: str) -> RouteView:
    """Route no more events this way; what is queued already is still delivered."""
    return _set_active(hub, actor, route_id, is_active=False)


def resume(hub: Hub, actor: Actor, route_id: str) -> RouteView:
    """End a pause; events that came meanwhile are not routed later."""
    return _set_active(hub, actor, route_id, is_active=True)


def remove(hub: Hub, actor: Actor, route_id: str) -> None:
    """Remove a route; its deliveries stay and still say which way they took."""
    with hub.database.write() as session:
        row, _, _ = _own(session, actor, route_id)
        row.is_active = False
        row.deleted_at = now()
        _changed(session, actor, "route.removed", row)


def get(hub: Hub, actor: Actor, route_id: str) -> RouteView:
    """Return one route that `actor` may see; raise NotFound otherwise."""
    with hub.database.read() as session:
        return view(*_own(session, actor, route_id))


def list_all(
    hub: Hub,
    actor: Actor,
    *,
    destination_id: str | None = None,
    integration_id: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[RouteView]:
    """Return the newest routes that `actor` may see, all or those of one of its ends."""
    require_writer(actor)
    query = _joined(actor).order_by(col(Route.id).desc())
    if destination_id is not None:
        query = query.where(col(Route.destination_id) == destination_id)
    if integration_id is not None:
        query = query.where(col(Route.integration_id) == integration_id)
    if cursor is not None:
        query = query.where(col(Route.id) < cursor)
    with hub.database.read() as session:
        found = session.exec(query.limit(check_limit(limit) + 1)).all()
    rows = [view(*each) for each in found[:limit]]
    return Page(rows, rows[-1].id if len(found) > limit else None)


def _add(session: Session, actor: Actor, draft: RouteDraft) -> RouteView:
    moment = now()
    integration, destination = _ends(session, actor, draft)
    row = Route(
        id=new_id("rte"),
        user_id=integration.user_id,
        integration_id=integration.id,
        destination_id=destination.id,
        name="",
        event_types=[],
        filters=[],
        is_active=True,
        created_at=moment,
        updated_at=moment,
    )
    _fill(row, draft, integration, destination)
    session.add(row)
    _changed(session, actor, "route.added", row)
    return view(row, integration, destination)


def _joined(actor: Actor) -> Select[Route, IntegrationConfig, Destination]:
    query = (
        select(Route, IntegrationConfig, Destination)
        .join(IntegrationConfig, col(IntegrationConfig.id) == col(Route.integration_id))
        .join(Destination, col(Destination.id) == col(Route.destination_id))
        .where(col(Route.deleted_at).is_(None))
        # The route of a removed integration or destination is gone with it.
        .where(col(IntegrationConfig.deleted_at).is_(None), col(Destination.deleted_at).is_(None))
    )
    return query if actor.sees_all else query.where(col(Route.user_id) == actor.id)


def _own(session: Session, actor: Actor, route_id: str) -> Joined:
    require_writer(actor)
    found = session.exec(_joined(actor).where(col(Route.id) == route_id)).first()
    if found is None:
        raise NotFound("There is no such route. Go back to the list of routes.")
    return found


def _ends(
    session: Session, actor: Actor, draft: RouteDraft
) -> tuple[IntegrationConfig, Destination]:
    integration = integrations.owned_row(session, actor, draft.integration_id)
    destination, _ = owned_row(session, actor, draft.destination_id)
    if integration.user_id != destination.user_id:
        raise InvalidInput(
            "The destination belongs to another member. Choose one of the integration's owner.",
            field="destination_id",
        )
    return integration, destination


def _fill(
    row: Route, draft: RouteDraft, integration: IntegrationConfig, destination: Destination
) -> None:
    row.event_types = _clean_types(draft.event_types)
    row.filters = stored_filters(parse_filters(draft.filters))
    row.mapping = (draft.mapping or "").strip() or None
    if row.mapping is not None:
        check_mapping(row.mapping)
    elif destination.kind in action_kinds():
        raise InvalidInput(
            "An action needs a mapping that yields its fields, such as {to: data.From, body: "
            "'Thank you'}. Write an expression of your own.",
            field="mapping",
        )
    row.name = " ".join(draft.name.split()) or f"{integration.name} → {destination.name}"
    if len(row.name) > _NAME_LENGTH:
        raise InvalidInput(f"Give a name of at most {_NAME_LENGTH} characters.", field="name")


def _clean_types(given: Sequence[str]) -> list[str]:
    is_list = isinstance(given, list | tuple) and all(isinstance(name, str) for name in given)
    names = list(dict.fromkeys(name.strip() for name in given)) if is_list else []
    if ALL_TYPES in names:
        return [ALL_TYPES]
    if not 1 <= len(names) <= _MOST_TYPES or not all(
        1 <= len(name) <= _TYPE_LENGTH for name in names
    ):
        raise InvalidInput(
            f'Choose 1 to {_MOST_TYPES} event types, or ["*"] for all.', field="event_types"
        )
    return names


def _set_active(hub: Hub, actor: Actor, route_id: str, *, is_active: bool) -> RouteView:
    with hub.database.write() as session:
        row, integration, destination = _own(session, actor, route_id)
        row.is_active = is_active
        _changed(session, actor, f"route.{'resumed' if is_active else 'paused'}", row)
        return view(row, integration, destination)


def _facts(row: Route, integration: IntegrationConfig, destination: Destination) -> dict[str, Any]:
    """Return what a route says, to tell what a change changed."""
    return {
        "name": row.name,
        "from": integration.name,
        "to": destination.name,
        "event_types": row.event_types,
        "conditions": row.filters,
        "mapping": row.mapping,
    }


def _changed(
    session: Session, actor: Actor, action: str, row: Route, **details: audit.Detail
) -> None:
    row.updated_at = now()
    audit.record(session, actor, action, row.id, name=row.name, **details)
