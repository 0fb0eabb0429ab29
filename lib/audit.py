"""The record of who did what; entries are written in the transaction of the deed itself."""

from sqlmodel import Session

from lib.access import Actor
from lib.clock import now
from lib.ids import new_id
from lib.models import AuditEntry


def record(
    session: Session, actor: Actor | None, action: str, object_id: str, **details: str
) -> None:
    """Add one entry; `details` hold names and states, never secrets or payloads.

    `actor` is None for what nobody signed in for, such as a failed login.
    """
    session.add(
        AuditEntry(
            id=new_id("aud"),
            user_id=actor.id if actor else None,
            actor=actor.email if actor else "nobody",
            action=action,
            object_id=object_id,
            details=details,
            created_at=now(),
        )
    )
