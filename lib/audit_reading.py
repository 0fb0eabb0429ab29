"""Reading the audit log: everything for staff, filtered and paged by key."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from lib.access import Actor, require_staff
from lib.hub import Hub
from lib.lists.paging import Page, check_limit
from lib.models import AuditEntry

# A subject whose actions begin with more than its own name.
_PARTS = {
    "event": ("event", "events"),
    "delivery": ("delivery", "deliveries"),
    "rejection": ("rejection", "rejections"),
    "alert": ("alert", "alert_channel", "alert_kind"),
    "testing": ("doctor", "sample", "simulator", "trial_endpoint"),
    "settings": ("backup", "keys", "mail", "public_url", "retention"),
    "audit": ("audit", "report"),
}


@dataclass(frozen=True)
class AuditFilters:
    """What the list is narrowed to; None and an empty text mean everything.

    `subject` is what an action is about, see `parts_of`.
    """

    user_id: str | None = None
    subject: str | None = None
    object_id: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class AuditRow:
    """One entry: who did what to which object, from where."""

    id: str
    created_at: datetime
    actor: str
    role: str | None
    action: str
    object_id: str
    details: dict[str, Any]
    ip: str | None
    session_id: str | None
    sequence: int | None


def list_entries(
    hub: Hub,
    actor: Actor,
    filters: AuditFilters,
    *,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[AuditRow]:
    """Return the newest matching entries, before `cursor` if given; staff only."""
    require_staff(actor)
    query = _filtered(filters)
    if cursor is not None:
        query = query.where(col(AuditEntry.id) < cursor)
    with hub.database.read() as session:
        found = session.exec(query.limit(check_limit(limit) + 1)).all()
    rows = [_row(entry) for entry in found[:limit]]
    return Page(rows, rows[-1].id if len(found) > limit else None)


def parts_of(subject: str) -> tuple[str, ...]:
    """Return the first parts of the actions that are about a subject, such as user or alert."""
    return _PARTS.get(subject, (subject,))


def _filtered(filters: AuditFilters) -> SelectOfScalar[AuditEntry]:
    query = select(AuditEntry).order_by(col(AuditEntry.id).desc())
    if filters.user_id:
        query = query.where(AuditEntry.user_id == filters.user_id)
    if filters.subject:
        # As ranges, which an index serves: "/" is the sign after ".".
        action = col(AuditEntry.action)
        ranges = (and_(action >= f"{x}.", action < f"{x}/") for x in parts_of(filters.subject))
        query = query.where(or_(*ranges))
    if filters.object_id.strip():
        query = query.where(AuditEntry.object_id == filters.object_id.strip())
    if filters.since is not None:
        query = query.where(AuditEntry.created_at >= filters.since)
    if filters.until is not None:
        query = query.where(AuditEntry.created_at < filters.until)
    return query


def _row(entry: AuditEntry) -> AuditRow:
    return AuditRow(
        id=entry.id,
        created_at=entry.created_at,
        actor=entry.actor,
        role=entry.role,
        action=entry.action,
        object_id=entry.object_id,
        details=entry.details,
        ip=entry.ip,
        session_id=entry.session_id,
        sequence=entry.sequence,
    )
