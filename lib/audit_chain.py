"""The chain of the audit log: each entry carries a digest over itself and the one before.

A worker chains new entries a moment after they are written, so that nobody who acts has to wait
for anybody else. The head is kept apart from the entries: a log whose end was cut off shows.
Whoever keeps a head outside the hub can prove it even against the owner of the database.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from sqlalchemy import func, text, update
from sqlmodel import Session, col, select

from lib.access import Actor, require_staff
from lib.hub import Hub
from lib.models import AuditEntry, HubFact

HEAD_FACT = "audit_chain_head"
_BATCH = 500
# Any number that no other advisory lock of the hub has.
_LOCK = 7_204_519
_TABLE = AuditEntry.metadata.tables["audit_log"]
_UNCHAINED = col(AuditEntry.sequence).is_(None)


@dataclass(frozen=True)
class Head:
    """The last entry of the chain, in two values to keep elsewhere; (0, "") of an empty one."""

    sequence: int = 0
    digest: str = ""


@dataclass(frozen=True)
class ChainReport:
    """What a look through the chain found.

    `checked` entries are as they were written. `trouble` says what comes after them that is
    not, None when all is well. `unchained` entries wait for the worker.
    """

    checked: int
    unchained: int
    head: Head
    trouble: str | None


def chain_new(hub: Hub) -> int:
    """Chain up to 500 entries that are not yet; return how many that were.

    Any number of workers may ask at once: one does it, the others come back with nothing.
    """
    with hub.database.read() as session:
        if session.exec(select(AuditEntry.id).where(_UNCHAINED).limit(1)).first() is None:
            return 0
    with hub.database.write() as session:
        if not (hub.database.is_sqlite or _has_turn(session)):
            return 0
        query = select(AuditEntry).where(_UNCHAINED).order_by(col(AuditEntry.id)).limit(_BATCH)
        entries = session.exec(query).all()
        head = _next_head(session)
        for entry in entries:
            head = _follow(head, entry)
            session.execute(
                update(_TABLE)
                .where(_TABLE.c.id == entry.id)
                .values(sequence=head.sequence, digest=head.digest)
            )
        if entries:
            session.merge(HubFact(name=HEAD_FACT, value=f"{head.sequence}:{head.digest}"))
    return len(entries)


def verify_chain(hub: Hub, actor: Actor) -> ChainReport:
    """Look through the whole chain, in small reads; staff only."""
    require_staff(actor)
    # Read before the entries: a worker may chain more in between.
    with hub.database.read() as session:
        kept = _kept_head(session)
    head, trouble = Head(), None
    for entry in _chained(hub):
        following = _follow(head, entry)
        if entry.sequence != following.sequence:
            trouble = f"Entry number {following.sequence:,} is missing."
            break
        if entry.digest != following.digest:
            trouble = f"Entry number {following.sequence:,} is not what was written."
            break
        head = following
    if trouble is None and head.sequence < kept.sequence:
        trouble = (
            f"The log ends at number {head.sequence:,}, but number {kept.sequence:,} was written."
        )
    with hub.database.read() as session:
        unchained = session.exec(select(func.count()).where(_UNCHAINED)).one()
    return ChainReport(head.sequence, unchained, head, trouble)


def _has_turn(session: Session) -> bool:
    turn = session.execute(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    return bool(turn.scalar_one())


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


def _next_head(session: Session) -> Head:
    """Return the head to go on from: after a cut, the numbers that were cut stay missing."""
    kept = _kept_head(session)
    query = (
        select(AuditEntry.sequence, AuditEntry.digest)
        .where(col(AuditEntry.sequence).is_not(None))
        .order_by(col(AuditEntry.sequence).desc())
        .limit(1)
    )
    found = session.exec(query).first()
    last = Head(found[0] or 0, found[1] or "") if found else Head()
    return kept if kept.sequence >= last.sequence else last


def _kept_head(session: Session) -> Head:
    fact = session.get(HubFact, HEAD_FACT)
    if fact is None:
        return Head()
    sequence, _, digest = fact.value.partition(":")
    return Head(int(sequence), digest)


def _follow(head: Head, entry: AuditEntry) -> Head:
    sequence = head.sequence + 1
    facts: dict[str, Any] = {
        "sequence": sequence,
        "id": entry.id,
        "user_id": entry.user_id,
        "actor": entry.actor,
        "role": entry.role,
        "ip": entry.ip,
        "session_id": entry.session_id,
        "action": entry.action,
        "object_id": entry.object_id,
        "details": entry.details,
        "created_at": entry.created_at.astimezone(UTC).isoformat(timespec="microseconds"),
    }
    written = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return Head(sequence, hashlib.sha256(f"{head.digest}\n{written}".encode()).hexdigest())
