"""The chain of the audit log: each entry carries a digest over itself and the one before.

A worker chains new entries a moment after they are written, so that nobody who acts has to wait
for anybody else. Whoever keeps the last number and digest elsewhere can also prove that the end
was not cut off.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC

import orjson
from sqlalchemy import func, text, update
from sqlmodel import Session, col, select

from lib.access import Actor, require_staff
from lib.hub import Hub
from lib.models import AuditEntry

_BATCH = 500
_TABLE = AuditEntry.metadata.tables["audit_log"]
# Any constant that no other lock of the hub has.
_LOCK = 7_204_519
_UNCHAINED = col(AuditEntry.sequence).is_(None)


@dataclass(frozen=True)
class ChainReport:
    """What a check of the chain found.

    `head` is the digest of entry number `chained`, the last one. `trouble` says where and how
    the chain is broken, None when it is whole.
    """

    chained: int
    unchained: int
    head: str
    trouble: str | None


def chain_new(hub: Hub) -> int:
    """Chain up to 500 entries that are not yet, and return how many that were.

    Any number of workers may do this at once: one of them does it.
    """
    with hub.database.read() as session:
        if session.exec(select(AuditEntry.id).where(_UNCHAINED).limit(1)).first() is None:
            return 0
    with hub.database.write() as session:
        if not hub.database.is_sqlite:
            session.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _LOCK})
        query = select(AuditEntry).where(_UNCHAINED).order_by(col(AuditEntry.id)).limit(_BATCH)
        entries = session.exec(query).all()
        number, digest = _head(session)
        for entry in entries:
            number += 1
            digest = _digest(entry, number, digest)
            session.execute(
                update(_TABLE).where(_TABLE.c.id == entry.id).values(sequence=number, digest=digest)
            )
        return len(entries)


def verify_chain(hub: Hub, actor: Actor) -> ChainReport:
    """Go through the whole chain; staff only."""
    require_staff(actor)
    digest, trouble = "", None
    for number, entry in enumerate(_chained(hub), 1):
        if entry.sequence != number:
            trouble = f"Entry number {number} is missing: the next one has {entry.sequence}."
            break
        digest = _digest(entry, number, digest)
        if entry.digest != digest:
            trouble = f"Entry number {number} ({entry.id}) is not what was written then."
            break
    with hub.database.read() as session:
        unchained = session.exec(select(func.count()).where(_UNCHAINED)).one()
        head, stored = _head(session)
    return ChainReport(head, unchained, stored, trouble)


def _chained(hub: Hub) -> Iterator[AuditEntry]:
    last = 0
    while True:
        query = (
            select(AuditEntry)
            .where(col(AuditEntry.sequence) > last)
            .order_by(col(AuditEntry.sequence))
            .limit(_BATCH)
        )
        with hub.database.read() as session:
            entries = session.exec(query).all()
        yield from entries
        if len(entries) < _BATCH:
            return
        last = entries[-1].sequence or last


def _head(session: Session) -> tuple[int, str]:
    query = (
        select(AuditEntry.sequence, AuditEntry.digest)
        .where(col(AuditEntry.sequence).is_not(None))
        .order_by(col(AuditEntry.sequence).desc())
        .limit(1)
    )
    found = session.exec(query).first()
    return (found[0] or 0, found[1] or "") if found else (0, "")


def _digest(entry: AuditEntry, number: int, before: str) -> str:
    facts = [
        before,
        number,
        entry.id,
        entry.user_id,
        entry.actor,
        entry.role,
        entry.ip,
        entry.session_id,
        entry.action,
        entry.object_id,
        entry.details,
        entry.created_at.astimezone(UTC).isoformat(timespec="microseconds"),
    ]
    return hashlib.sha256(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)).hexdigest()
