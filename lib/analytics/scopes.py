"""What figures are narrowed to, and the conditions that keep them within the reader's own."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlmodel import Session, col

from lib.access import Actor, require_staff
from lib.analytics.periods import Period
from lib.hub import Hub
from lib.models import IntegrationConfig, Route, User
from lib.paging import LARGEST_PAGE


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


def within(table: Any, actor: Actor, period: Period, filters: Filters) -> list[ColumnElement[bool]]:
    """Return the conditions of owner and time for a table of rollups."""
    conditions = [col(table.hour) >= period.since, col(table.hour) < period.until]
    if not actor.sees_all:
        conditions.append(col(table.user_id) == actor.id)
    if filters.member_id:
        conditions.append(col(table.user_id) == filters.member_id)
    return conditions


def of_integrations(table: Any, filters: Filters) -> list[ColumnElement[bool]]:
    """Return what narrows a table with `integration_id` to the filters."""
    conditions: list[ColumnElement[bool]] = []
    if filters.integration_id:
        conditions.append(col(table.integration_id) == filters.integration_id)
    if filters.service_name:
        if hasattr(table, "service_name"):
            conditions.append(col(table.service_name) == filters.service_name)
        else:
            conditions.append(col(table.integration_id).in_(_of_service(filters.service_name)))
    if filters.destination_id:
        sources = select(col(Route.integration_id)).where(
            col(Route.destination_id) == filters.destination_id
        )
        conditions.append(col(table.integration_id).in_(sources))
    return conditions


def of_destinations(table: Any, filters: Filters) -> list[ColumnElement[bool]]:
    """Return what narrows a table with `destination_id` to the filters."""
    conditions: list[ColumnElement[bool]] = []
    if filters.destination_id:
        conditions.append(col(table.destination_id) == filters.destination_id)
    if filters.integration_id or filters.service_name:
        reached = select(col(Route.destination_id))
        if filters.integration_id:
            reached = reached.where(col(Route.integration_id) == filters.integration_id)
        if filters.service_name:
            reached = reached.where(
                col(Route.integration_id).in_(_of_service(filters.service_name))
            )
        conditions.append(col(table.destination_id).in_(reached))
    return conditions


def is_sqlite(session: Session) -> bool:
    """Say which of the two engines the session speaks to."""
    return session.get_bind().dialect.name == "sqlite"


def _of_service(service_name: str) -> Select[Any]:
    return select(col(IntegrationConfig.id)).where(
        col(IntegrationConfig.service_name) == service_name
    )
