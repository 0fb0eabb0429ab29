"""What figures are narrowed to, and the conditions that keep them within the reader's own.

Totals stand under scopes (see `lib.models.totals`). The widest that fits is read: the whole hub
or an owner, and single integrations or destinations where a filter chooses among them.
"""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, false, select
from sqlmodel import Session, col

from lib.access import Actor, require_staff
from lib.hub import Hub
from lib.id_lists import is_among
from lib.lists.paging import LARGEST_PAGE
from lib.models import Destination, IntegrationConfig, Route, User
from lib.processing.totals import WHOLE_HUB


@dataclass(frozen=True)
class Filters:
    """None means everything. `member_id` is an owner, for those who see more than their own.

    Counts of deliveries do not tell integrations apart, so an integration or a service narrows
    them to the destinations that its routes lead to; a destination narrows what was received
    to the integrations that have routes to it.
    """

    service_name: str | None = None
    integration_id: str | None = None
    destination_id: str | None = None
    member_id: str | None = None


def members(hub: Hub, actor: Actor) -> list[tuple[str, str]]:
    """Return (id, e-mail address) of who may own something, for staff; at most 200."""
    require_staff(actor)
    query = select(col(User.id), col(User.email)).order_by(col(User.email)).limit(LARGEST_PAGE)
    with hub.database.read() as session:
        return [(row.id, row.email) for row in session.execute(query)]


def of_integrations(table: Any, actor: Actor, filters: Filters) -> list[ColumnElement[bool]]:
    """Return the conditions of scope for a table of totals of integrations."""
    conditions: list[ColumnElement[bool]] = []
    if filters.service_name and hasattr(table, "service_name"):
        conditions.append(col(table.service_name) == filters.service_name)
        filters = replace(filters, service_name=None)
    if not (filters.integration_id or filters.service_name or filters.destination_id):
        return [_owner(table, actor, filters), *conditions]
    chosen = select(col(IntegrationConfig.id)).where(*integrations(actor, filters))
    return [is_among(col(table.scope), chosen), *conditions]


def of_destinations(table: Any, actor: Actor, filters: Filters) -> list[ColumnElement[bool]]:
    """Return the conditions of scope for a table of totals of destinations."""
    if not (filters.integration_id or filters.service_name or filters.destination_id):
        return [_owner(table, actor, filters)]
    chosen = select(col(Destination.id)).where(*destinations(actor, filters))
    return [is_among(col(table.scope), chosen)]


def integrations(actor: Actor, filters: Filters) -> list[ColumnElement[bool]]:
    """Return what narrows IntegrationConfig to the reader's own and the filters."""
    conditions = _owned(IntegrationConfig, actor, filters)
    if filters.integration_id:
        conditions.append(col(IntegrationConfig.id) == filters.integration_id)
    if filters.service_name:
        conditions.append(col(IntegrationConfig.service_name) == filters.service_name)
    if filters.destination_id:
        sources = select(col(Route.integration_id)).where(
            col(Route.destination_id) == filters.destination_id
        )
        conditions.append(col(IntegrationConfig.id).in_(sources))
    return conditions


def destinations(actor: Actor, filters: Filters) -> list[ColumnElement[bool]]:
    """Return what narrows Destination to the reader's own and the filters."""
    conditions = _owned(Destination, actor, filters)
    if filters.destination_id:
        conditions.append(col(Destination.id) == filters.destination_id)
    if filters.integration_id or filters.service_name:
        reached = select(col(Route.destination_id))
        if filters.integration_id:
            reached = reached.where(col(Route.integration_id) == filters.integration_id)
        if filters.service_name:
            reached = reached.where(
                col(Route.integration_id).in_(_of_service(filters.service_name))
            )
        conditions.append(col(Destination.id).in_(reached))
    return conditions


def is_sqlite(session: Session) -> bool:
    """Say which of the two engines the session speaks to."""
    return session.get_bind().dialect.name == "sqlite"


def _of_service(service_name: str) -> Select[Any]:
    return select(col(IntegrationConfig.id)).where(
        col(IntegrationConfig.service_name) == service_name
    )


def _owned(table: Any, actor: Actor, filters: Filters) -> list[ColumnElement[bool]]:
    conditions = []
    if not actor.sees_all:
        conditions.append(col(table.user_id) == actor.id)
    if filters.member_id:
        conditions.append(col(table.user_id) == filters.member_id)
    return conditions


def _owner(table: Any, actor: Actor, filters: Filters) -> ColumnElement[bool]:
    """Return the condition for everything of the one owner that is read, or of the whole hub."""
    if actor.sees_all:
        return col(table.scope) == (filters.member_id or WHOLE_HUB)
    if filters.member_id not in {None, "", actor.id}:
        return false()
    return col(table.scope) == actor.id
