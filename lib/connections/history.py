"""What was done to one connection, for its owner and staff; reads the record, writes none."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from lib.access import Actor
from lib.connections.integrations import owned_row
from lib.hub import Hub
from lib.lists.paging import Page, check_limit
from lib.models import AuditEntry


@dataclass(frozen=True)
class Deed:
    """Who did what, and when; `details` hold names and states, never secrets."""

    id: str
    actor: str
    action: str
    details: Mapping[str, str]
    created_at: datetime


def list_history(
    hub: Hub, actor: Actor, integration_id: str, *, cursor: str | None = None, limit: int = 50
) -> Page[Deed]:
    """Return what was done to a connection that `actor` may change, the last first."""
    query = (
        select(AuditEntry)
        .where(col(AuditEntry.object_id) == integration_id)
        .order_by(col(AuditEntry.id).desc())
        .limit(check_limit(limit) + 1)
    )
    if cursor is not None:
        query = query.where(col(AuditEntry.id) < cursor)
    with hub.database.read() as session:
        owned_row(session, actor, integration_id)
        found = session.exec(query).all()
    rows = [
        Deed(row.id, row.actor, row.action, dict(row.details), row.created_at)
        for row in found[:limit]
    ]
    return Page(rows, rows[-1].id if len(found) > limit else None)
