"""The connections that a box of choices offers: not more than one can look through."""

from sqlmodel import col, select

from lib.access import Actor
from lib.connections.views import Integration, view
from lib.hub import Hub
from lib.lists.paging import LARGEST_PAGE
from lib.models import IntegrationConfig, User


def list_choices(hub: Hub, actor: Actor, *, also: str | None = None) -> list[Integration]:
    """Return the first 200 connections by name that `actor` may see.

    The one with the id `also`, such as the one that an address names, is among them if the actor
    may see it, in place of the last.
    """
    query = (
        select(IntegrationConfig, User.email)
        .join(User, col(User.id) == col(IntegrationConfig.user_id))
        .where(col(IntegrationConfig.deleted_at).is_(None))
    )
    if not actor.sees_all:
        query = query.where(col(IntegrationConfig.user_id) == actor.id)
    by_name = query.order_by(col(IntegrationConfig.name), col(IntegrationConfig.id))
    with hub.database.read() as session:
        rows = list(session.exec(by_name.limit(LARGEST_PAGE)))
        if also and all(row.id != also for row, _ in rows):
            found = list(session.exec(query.where(col(IntegrationConfig.id) == also)))
            rows = [*rows[: LARGEST_PAGE - len(found)], *found]
        return [view(hub, row, actor, owner=email) for row, email in rows]
