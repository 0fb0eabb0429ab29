"""Where the screens show an object, by its id alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, select

from lib.access import Actor
from lib.hub import Hub
from lib.models import Delivery, Destination, IntegrationConfig, Issue, Route, WebhookEvent


@dataclass(frozen=True)
class Place:
    """A screen and what its address asks for."""

    page: str
    query: Mapping[str, str]


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
    page, parameter = _PAGES[prefix]
    return Place(page, {parameter: row.id})


def _find(session: Session, actor: Actor, table: Any, object_id: str) -> Any:
    query = select(table).where(table.id == object_id)
    if not actor.sees_all:
        query = query.where(table.user_id == actor.id)
    return session.exec(query).first()


_TABLES: Mapping[str, Any] = {
    "evt": WebhookEvent,
    "dlv": Delivery,
    "iss": Issue,
    "int": IntegrationConfig,
    "dst": Destination,
    "rte": Route,
}
_PAGES = {
    "evt": ("activity", "event"),
    "iss": ("issues", "open"),
    "int": ("integrations", "open"),
    "dst": ("webhooks", "open"),
    "rte": ("webhooks", "route"),
}
