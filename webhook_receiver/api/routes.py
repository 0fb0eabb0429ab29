"""Which events of a connection go to which destination."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field, RootModel

from lib.outgoing import routes
from lib.outgoing.routes import RouteDraft, RouteView
from webhook_receiver.api.operations import Call, Operation, Reply
from webhook_receiver.api.shapes import Given, Moment, Paged, Shown, stamp

READ, WRITE = "read:integrations", "write:integrations"


class FilterGiven(Given):
    """One condition on the event."""

    path: str = Field(description="A field such as data.From.")
    operator: str = Field(description="Such as equals, contains, in or exists.")
    value: Any = Field(default=None, description="What it is compared with.")


class RouteGiven(Given):
    """A new route."""

    integration_id: str
    destination_id: str
    event_types: list[str] = Field(default=["*"], description='Types, or ["*"] for all.')
    filters: list[FilterGiven] = Field(default=[], description="Rows that must all hold.")
    mapping: str | None = Field(
        default=None, description="A JMESPath expression over the event; null sends it whole."
    )
    name: str = Field(default="", description="Left out, it is named after both ends.")
    is_active: bool = True


class RouteChange(Given):
    """What is left out stays."""

    integration_id: str | None = None
    destination_id: str | None = None
    event_types: list[str] | None = None
    filters: list[FilterGiven] | None = None
    mapping: str | None = None
    name: str | None = None
    is_active: bool | None = None


class FilterShown(Shown):
    """One condition on the event."""

    path: str
    operator: str
    value: Any = None


class RouteShown(Shown):
    """A route."""

    id: str
    name: str
    integration_id: str
    destination_id: str
    event_types: list[str]
    filters: list[FilterShown]
    mapping: str | None
    is_active: bool
    created_at: Moment
    updated_at: Moment


class RoutesAsked(Paged):
    """What the list is narrowed to."""

    destination_id: Annotated[str | None, Field(description="Those to one destination alone.")] = (
        None
    )


class RouteList(RootModel[list[RouteShown]]):
    """Routes, newest first."""


def list_routes(call: Call) -> Reply:
    """Return a page of routes."""
    asked: RoutesAsked = call.query
    page = routes.list_all(
        call.hub,
        call.caller.actor,
        destination_id=asked.destination_id,
        cursor=asked.cursor,
        limit=asked.limit,
    )
    return Reply(RouteList([_show(row) for row in page.rows]), page.next_cursor)


def add_route(call: Call) -> Reply:
    """Store a new route."""
    given: RouteGiven = call.body
    draft = RouteDraft(
        integration_id=given.integration_id,
        destination_id=given.destination_id,
        event_types=given.event_types,
        filters=filter_rows(given.filters),
        mapping=given.mapping,
        name=given.name,
    )
    row = routes.add(call.hub, call.caller.actor, draft)
    if not given.is_active:
        row = routes.pause(call.hub, call.caller.actor, row.id)
    return Reply(_show(row))


def get_route(call: Call) -> Reply:
    """Return one route."""
    return Reply(_show(routes.get(call.hub, call.caller.actor, call.path["id"])))


def change_route(call: Call) -> Reply:
    """Change what the body names of a route."""
    change: RouteChange = call.body
    hub, actor = call.hub, call.caller.actor
    row = routes.get(hub, actor, call.path["id"])
    draft = RouteDraft(
        integration_id=row.integration_id,
        destination_id=row.destination_id,
        event_types=row.event_types,
        filters=list(row.filters),
        mapping=row.mapping,
        name=row.name,
    )
    given = {
        name: getattr(change, name)
        for name in change.model_fields_set - {"is_active", "filters"}
        if name == "mapping" or getattr(change, name) is not None
    }
    if change.filters is not None:
        given["filters"] = filter_rows(change.filters)
    row = routes.update(hub, actor, row.id, replace(draft, **given))
    if change.is_active is not None and change.is_active != row.is_active:
        turn = routes.resume if change.is_active else routes.pause
        row = turn(hub, actor, row.id)
    return Reply(_show(row))


def remove_route(call: Call) -> Reply:
    """Remove a route; its deliveries stay."""
    routes.remove(call.hub, call.caller.actor, call.path["id"])
    return Reply()


def filter_rows(given: Sequence[FilterGiven]) -> list[dict[str, Any]]:
    """Return filters as use cases take them."""
    return [row.model_dump(exclude_unset=True) for row in given]


def _show(row: RouteView) -> RouteShown:
    return RouteShown(
        id=row.id,
        name=row.name,
        integration_id=row.integration_id,
        destination_id=row.destination_id,
        event_types=list(row.event_types),
        filters=[FilterShown(**each) for each in row.filters],
        mapping=row.mapping,
        is_active=row.is_active,
        created_at=stamp(row.created_at),
        updated_at=stamp(row.updated_at),
    )


OPERATIONS = (
    Operation(
        "GET",
        "/api/routes",
        scope=READ,
        summary="List routes, newest first",
        handler=list_routes,
        answer=RouteList,
        query=RoutesAsked,
    ),
    Operation(
        "POST",
        "/api/routes",
        scope=WRITE,
        summary="Add a route",
        handler=add_route,
        answer=RouteShown,
        status=201,
        body=RouteGiven,
        creates=True,
    ),
    Operation(
        "GET",
        "/api/routes/{id}",
        scope=READ,
        summary="Show a route",
        handler=get_route,
        answer=RouteShown,
    ),
    Operation(
        "PUT",
        "/api/routes/{id}",
        scope=WRITE,
        summary="Change a route",
        handler=change_route,
        answer=RouteShown,
        body=RouteChange,
    ),
    Operation(
        "DELETE",
        "/api/routes/{id}",
        scope=WRITE,
        summary="Remove a route; its deliveries stay",
        handler=remove_route,
        status=204,
    ),
)
