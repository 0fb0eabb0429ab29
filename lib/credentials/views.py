"""The credentials of integrations and destinations as lists, and what hangs on each.

Members read about their own, staff about all; nobody reads a value back.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlmodel import Session, col, select

from lib.access import Actor, require_writer
from lib.credentials.rows import Credential, State, of_destination, of_integration
from lib.credentials.uses import with_uses
from lib.errors import NotFound
from lib.hub import Hub
from lib.lists.paging import Page, check_limit
from lib.models import Destination, IntegrationConfig, OAuthGrant, Route, User
from lib.outgoing.action_destinations import action_kinds

Owned = IntegrationConfig | Destination
_BATCH = 100
# Beyond so many objects a page ends, however few of them are wanted.
_MOST_OBJECTS = 2_000
_MOST_NAMED = 20
# Destinations come after integrations, for "int" is greater than "dst" and lists go backwards.
_TABLES: tuple[type[Owned], ...] = (IntegrationConfig, Destination)


@dataclass(frozen=True)
class CredentialFilters:
    """What the list is narrowed to; what is optional and not set is left out unless asked for."""

    service_name: str | None = None
    state: State | None = None
    user_id: str | None = None
    with_optional: bool = False

    def takes(self, row: Credential) -> bool:
        """Tell whether a credential is wanted."""
        if self.service_name not in (None, row.service_name):
            return False
        if self.state is not None:
            return self.state in row.states
        return self.with_optional or State.OPTIONAL not in row.states


@dataclass(frozen=True)
class Dependents:
    """What would stop with a credential: names of routes and of destinations that act with it.

    `more` says how many are not named.
    """

    routes: tuple[str, ...]
    actions: tuple[str, ...]
    more: int = 0


def list_credentials(
    hub: Hub,
    actor: Actor,
    filters: CredentialFilters,
    *,
    cursor: str | None = None,
    limit: int = 100,
) -> Page[Credential]:
    """Return the credentials of the newest integrations, then destinations, whole ones only.

    A page holds at most `limit` rows and those of one object more. Raises NotAllowed for
    analysts.
    """
    require_writer(actor)
    check_limit(limit)
    found: list[Credential] = []
    next_cursor = None
    with hub.database.read() as session:
        objects = _objects(session, actor, filters, cursor)
        for number, (object_id, rows) in enumerate(objects, start=1):
            found += [row for row in rows if filters.takes(row)]
            if len(found) >= limit or number >= _MOST_OBJECTS:
                next_cursor = object_id
                break
        return Page(with_uses(session, found), next_cursor)


def credentials_of(hub: Hub, actor: Actor, object_id: str) -> list[Credential]:
    """Return all credentials of one integration or destination; raise NotFound, NotAllowed."""
    require_writer(actor)
    with hub.database.read() as session:
        for table in _TABLES:
            row = cast("Owned | None", session.get(table, object_id))
            if row is not None and row.deleted_at is None and _may(actor, row.user_id):
                owner = session.get_one(User, row.user_id).email
                return with_uses(session, _credentials(session, [(row, owner)])[0])
    raise NotFound("There is no such integration or destination. Go back to the list.")


def get_credential(hub: Hub, actor: Actor, key: str) -> Credential:
    """Return one credential by its key; raise NotFound or NotAllowed."""
    object_id = key.partition(".")[0]
    for row in credentials_of(hub, actor, object_id):
        if row.key == key:
            return row
    raise NotFound("There is no such credential. Go back to the list.")


def find_dependents(hub: Hub, actor: Actor, object_id: str) -> Dependents:
    """Return what works with the credentials of an object; raise NotFound or NotAllowed."""
    owned = credentials_of(hub, actor, object_id)
    is_destination = not owned or owned[0].is_destination
    end = Route.destination_id if is_destination else Route.integration_id
    query = (
        select(col(Route.name))
        .where(col(end) == object_id, col(Route.deleted_at).is_(None))
        .order_by(col(Route.id))
        .limit(_MOST_NAMED + 1)
    )
    with hub.database.read() as session:
        routes = list(session.exec(query))
        actions = [] if is_destination else _acting(session, object_id, owned[0].user_id)
    more = max(0, len(routes) - _MOST_NAMED) + max(0, len(actions) - _MOST_NAMED)
    return Dependents(tuple(routes[:_MOST_NAMED]), tuple(actions[:_MOST_NAMED]), more)


def _acting(session: Session, integration_id: str, user_id: str) -> list[str]:
    """Return the destinations that are actions of an integration."""
    query = (
        select(Destination)
        .where(
            col(Destination.user_id) == user_id,
            col(Destination.kind).in_(action_kinds()),
            col(Destination.deleted_at).is_(None),
        )
        .order_by(col(Destination.name))
        .limit(_MOST_OBJECTS)
    )
    return [
        row.name
        for row in session.exec(query)
        if row.config_data.get("integration_id") == integration_id
    ]


def _objects(
    session: Session, actor: Actor, filters: CredentialFilters, cursor: str | None
) -> Iterator[tuple[str, list[Credential]]]:
    """Yield the id and the credentials of one object after another, read in batches."""
    for table in _TABLES:
        after = cursor
        if cursor is not None and cursor[:3] != ("int" if table is IntegrationConfig else "dst"):
            if table is IntegrationConfig:
                continue
            after = None
        while batch := _read(session, actor, filters, table=table, after=after):
            for (row, _), rows in zip(batch, _credentials(session, batch), strict=True):
                yield row.id, rows
            after = batch[-1][0].id


def _read(
    session: Session,
    actor: Actor,
    filters: CredentialFilters,
    *,
    table: type[Owned],
    after: str | None,
) -> Sequence[tuple[Owned, str]]:
    query: Any = (
        select(table, User.email)
        .join(User, col(User.id) == col(table.user_id))
        .where(col(table.deleted_at).is_(None))
        .order_by(col(table.id).desc())
        .limit(_BATCH)
    )
    user_id = filters.user_id if actor.sees_all else actor.id
    if user_id is not None:
        query = query.where(col(table.user_id) == user_id)
    if filters.service_name is not None and table is IntegrationConfig:
        query = query.where(col(IntegrationConfig.service_name) == filters.service_name)
    if after is not None:
        query = query.where(col(table.id) < after)
    found: Sequence[tuple[Owned, str]] = session.exec(query).all()
    return found


def _credentials(session: Session, batch: Sequence[tuple[Owned, str]]) -> list[list[Credential]]:
    ids = [row.id for row, _ in batch]
    grants = {
        grant.id: grant
        for grant in session.exec(select(OAuthGrant).where(col(OAuthGrant.id).in_(ids)))
    }
    return [
        list(of_integration(row, owner, grants.get(row.id)))
        if isinstance(row, IntegrationConfig)
        else list(of_destination(row, owner))
        for row, owner in batch
    ]


def _may(actor: Actor, user_id: str) -> bool:
    return actor.sees_all or user_id == actor.id
