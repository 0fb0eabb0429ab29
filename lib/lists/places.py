"""Where the screens show an object: by its id, or by a part of its name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_
from sqlmodel import Session, col, select

from lib.access import Actor, Role
from lib.hub import Hub
from lib.models import (
    Delivery,
    Destination,
    IntegrationConfig,
    Issue,
    RejectedRequest,
    Route,
    User,
    WebhookEvent,
)

# Of each kind.
MOST_NAMED = 5
_FEWEST_CHARACTERS = 2


@dataclass(frozen=True)
class Place:
    """A screen and what its address asks for."""

    page: str
    query: Mapping[str, str]


@dataclass(frozen=True)
class NamedPlace:
    """A place with the kind and the name of what it shows."""

    kind: str
    name: str
    place: Place


def find_place(hub: Hub, actor: Actor, object_id: str) -> Place | None:
    """Return the screen that shows an object which `actor` may see; None for anything else."""
    prefix = object_id.partition("_")[0]
    if prefix not in _TABLES:
        return None
    with hub.database.read() as session:
        row = _find(session, actor, _TABLES[prefix], object_id)
    if row is None or (actor.sees_masked and prefix not in ("evt", "dlv")):
        return None
    if isinstance(row, Delivery):
        return Place("activity", {"event": row.event_id})
    if isinstance(row, User):
        return Place("users", {"q": row.email})
    page, parameter = _PAGES[prefix]
    return Place(page, {parameter: row.id})


def find_named(hub: Hub, actor: Actor, text: str) -> list[NamedPlace]:
    """Return integrations, destinations, routes and, to staff, users with `text` in their names.

    At most five of each, by name; nothing to analysts, who open none of these, and nothing for
    a single character. These tables are small, so that no index is needed.
    """
    wanted = text.strip()
    if actor.sees_masked or len(wanted) < _FEWEST_CHARACTERS:
        return []
    found: list[NamedPlace] = []
    with hub.database.read() as session:
        for kind, prefix in (("integration", "int"), ("destination", "dst"), ("route", "rte")):
            table, (page, parameter) = _TABLES[prefix], _PAGES[prefix]
            query = select(table).where(table.name.icontains(wanted, autoescape=True))
            query = query.where(table.deleted_at.is_(None), *_own(actor, table))
            rows = session.exec(query.order_by(table.name, table.id).limit(MOST_NAMED))
            found += [NamedPlace(kind, row.name, Place(page, {parameter: row.id})) for row in rows]
        if _may_see_users(actor):
            found += _users(session, wanted)
    return found


def _users(session: Session, wanted: str) -> list[NamedPlace]:
    named = (col(column).icontains(wanted, autoescape=True) for column in (User.name, User.email))
    query = select(User).where(or_(*named)).order_by(col(User.email)).limit(MOST_NAMED)
    return [
        NamedPlace("user", row.name, Place("users", {"q": row.email}))
        for row in session.exec(query)
    ]


def _find(session: Session, actor: Actor, table: Any, object_id: str) -> Any:
    if table is User and not _may_see_users(actor):
        return None
    query = select(table).where(table.id == object_id)
    return session.exec(query.where(*([] if table is User else _own(actor, table)))).first()


def _own(actor: Actor, table: Any) -> list[Any]:
    return [] if actor.sees_all else [table.user_id == actor.id]


def _may_see_users(actor: Actor) -> bool:
    return actor.role is Role.STAFF and actor.sees_all


_TABLES: Mapping[str, Any] = {
    "evt": WebhookEvent,
    "dlv": Delivery,
    "iss": Issue,
    "int": IntegrationConfig,
    "dst": Destination,
    "rte": Route,
    "rej": RejectedRequest,
    "usr": User,
}
_PAGES = {
    "evt": ("activity", "event"),
    "iss": ("issues", "open"),
    "int": ("integrations", "open"),
    "dst": ("webhooks", "open"),
    "rte": ("webhooks", "route"),
    "rej": ("rejected", "examine"),
}
