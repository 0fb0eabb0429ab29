"""Removing what hangs on events: payloads, the search index, and events as a whole.

Each kind walks once over an integration's events, from a kept cursor up to its age. An event
that is still needed is put aside and looked at again in each round, so the walk never
returns. No payload is ever read.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, text, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from lib.clock import now
from lib.models import (
    Delivery,
    DeliveryAttempt,
    EventKey,
    RetentionCursor,
    RetentionWaiting,
    SearchDocument,
    WebhookEvent,
)
from lib.retention.ages import id_bound
from lib.retention.swept import Owner, Sweep, Swept

KINDS = {"events": "event_days", "payloads": "payload_days", "index": "index_days"}
FINISHED = ("delivered", "accepted", "dead", "cancelled")
# Freeing a payload touches the pages it lay on; a batch stays short for the receiver's sake.
_MOST_BYTES = 4_000_000


@dataclass(frozen=True)
class _Event:
    id: str
    status: str
    has_payload: bool
    size: int


@dataclass(frozen=True)
class _Cleaned:
    """How many of the events from the first on are dealt with, and which of them must wait."""

    count: int
    waiting: frozenset[str]
    removed: Mapping[str, int]
    bytes: int = 0


_Clean = Callable[[Session, Sequence[_Event], int], _Cleaned]


def sweep_new(kind: str) -> Sweep:
    """Return the sweep over events that came of this kind's age since the last round."""

    def sweep(session: Session, owner: Owner, _after: str, limit: int) -> Swept:
        cursor = session.get(RetentionCursor, (owner.id, kind))
        due = (
            col(WebhookEvent.integration_id) == owner.id,
            col(WebhookEvent.id) > (cursor.position if cursor else ""),
            col(WebhookEvent.id) < id_bound("evt", getattr(owner.ages, KINDS[kind])),
        )
        events = _load(session, due, limit)
        if not events:
            return Swept()
        cleaned = _CLEANERS[kind](session, events, limit)
        _put_aside(session, owner, kind, cleaned.waiting)
        if cleaned.count:
            reached = events[cleaned.count - 1].id
            session.merge(RetentionCursor(owner_id=owner.id, kind=kind, position=reached))
        is_done = len(events) < limit and cleaned.count == len(events)
        return Swept(cleaned.removed, cleaned.bytes, None if is_done else "more")

    return sweep


def sweep_waiting(kind: str) -> Sweep:
    """Return the sweep over events that an earlier round had to leave."""

    def sweep(session: Session, owner: Owner, after: str, limit: int) -> Swept:
        here = (
            col(RetentionWaiting.integration_id) == owner.id,
            col(RetentionWaiting.kind) == kind,
        )
        due = (
            col(RetentionWaiting.event_id) > after,
            col(RetentionWaiting.event_id) < id_bound("evt", getattr(owner.ages, KINDS[kind])),
        )
        event_id = col(RetentionWaiting.event_id)
        ids = list(
            session.scalars(select(event_id).where(*here, *due).order_by(event_id).limit(limit))
        )
        if not ids:
            return Swept()
        events = _load(session, (col(WebhookEvent.id).in_(ids),), limit)
        cleaned = _CLEANERS[kind](session, events, limit)
        is_whole = cleaned.count == len(events)
        looked = ids if is_whole else [event.id for event in events[: cleaned.count]]
        ended = [event_id for event_id in looked if event_id not in cleaned.waiting]
        session.execute(delete(RetentionWaiting).where(*here, event_id.in_(ended)))
        reached = looked[-1] if looked else after
        is_done = is_whole and len(ids) < limit
        return Swept(cleaned.removed, cleaned.bytes, None if is_done else reached)

    return sweep


def _load(session: Session, where: Sequence[Any], limit: int) -> list[_Event]:
    columns = (
        col(WebhookEvent.id),
        col(WebhookEvent.status),
        col(WebhookEvent.payload_removed_at).is_(None),
        # Both engines know a value's length without reading it.
        func.length(col(WebhookEvent.payload)),
    )
    query = select(*columns).where(*where).order_by(col(WebhookEvent.id)).limit(limit)
    return [_Event(*row) for row in session.execute(query)]


def _clean_payloads(session: Session, events: Sequence[_Event], _limit: int) -> _Cleaned:
    total, count = 0, 0
    for event in events:
        if count and total + event.size > _MOST_BYTES:
            break
        total, count = total + event.size, count + 1
    full = [event for event in events[:count] if event.has_payload]
    free = _free(session, full)
    emptied = [event for event in full if event.id in free]
    _empty(session, [event.id for event in emptied])
    return _Cleaned(
        count,
        frozenset(event.id for event in full) - free,
        {"payloads": len(emptied)},
        sum(event.size for event in emptied),
    )


def _clean_index(session: Session, events: Sequence[_Event], limit: int) -> _Cleaned:
    # Processing, for the first time or again, still adds to the index of these.
    waiting = frozenset(
        event.id
        for event in events
        if event.status == "pending" or (event.status == "failed" and event.has_payload)
    )
    ids = [event.id for event in events if event.id not in waiting]
    keys = _strip_keys(session, ids, limit)
    documents = _strip(session, SearchDocument, col(SearchDocument.event_id).in_(ids), limit - keys)
    removed = {"keys": keys, "documents": documents}
    if keys + documents == limit:
        return _Cleaned(0, frozenset(), removed)
    return _Cleaned(len(events), waiting, removed)


def _clean_events(session: Session, events: Sequence[_Event], limit: int) -> _Cleaned:
    free = _free(session, events)
    of_event = sorted(free)
    deliveries = select(col(Delivery.id)).where(col(Delivery.event_id).in_(of_event))
    removed = {"keys": _strip_keys(session, of_event, limit)}
    # What refers to another row goes before it, so that no cascade makes a batch large.
    for name, table, condition in (
        ("documents", SearchDocument, col(SearchDocument.event_id).in_(of_event)),
        ("attempts", DeliveryAttempt, col(DeliveryAttempt.delivery_id).in_(deliveries)),
        ("deliveries", Delivery, col(Delivery.event_id).in_(of_event)),
    ):
        removed[name] = _strip(session, table, condition, limit - sum(removed.values()))
    left = limit - sum(removed.values())
    count = 0
    gone: list[_Event] = []
    for event in events:
        if event.id in free and len(gone) == left:
            break
        gone += [event] if event.id in free else []
        count += 1
    ids = [event.id for event in gone]
    session.execute(
        delete(RetentionWaiting).where(
            col(RetentionWaiting.integration_id).in_(
                select(col(WebhookEvent.integration_id)).where(col(WebhookEvent.id).in_(ids))
            ),
            col(RetentionWaiting.kind).in_(KINDS),
            col(RetentionWaiting.event_id).in_(ids),
        )
    )
    session.execute(delete(WebhookEvent).where(col(WebhookEvent.id).in_(ids)))
    waiting = frozenset(event.id for event in events[:count]) - free
    freed = sum(event.size for event in gone)
    return _Cleaned(count, waiting, {**removed, "events": len(gone)}, freed)


_CLEANERS: Mapping[str, _Clean] = {
    "events": _clean_events,
    "payloads": _clean_payloads,
    "index": _clean_index,
}


def _free(session: Session, events: Sequence[_Event]) -> frozenset[str]:
    """Return the events that nothing needs any more, locked until the batch is committed.

    The lock comes before the look at deliveries: a delivery that is made meanwhile waits for
    it, and one that is being made now keeps its event out. Nothing is waited for here.
    """
    settled = [event.id for event in events if event.status != "pending"]
    lock = (
        select(col(WebhookEvent.id))
        .where(col(WebhookEvent.id).in_(settled), col(WebhookEvent.status) != "pending")
        .order_by(col(WebhookEvent.id))
        .with_for_update(skip_locked=True)
    )
    locked = frozenset(session.scalars(lock))
    unfinished = select(col(Delivery.event_id)).where(
        col(Delivery.event_id).in_(locked), col(Delivery.status).not_in(FINISHED)
    )
    return locked - frozenset(session.scalars(unfinished))


def _empty(session: Session, ids: Sequence[str]) -> None:
    session.execute(
        update(WebhookEvent)
        .where(col(WebhookEvent.id).in_(ids))
        .values(payload=b"", headers="{}", verification="{}", payload_removed_at=now())
    )
    if session.get_bind().dialect.name != "sqlite" or not ids:
        return
    # SQLite never joins pages that an UPDATE has left almost empty, so short payloads would
    # give nothing back. A row with a new number is taken off its page and put behind the last.
    last = session.execute(text("SELECT max(rowid) FROM webhook_events")).scalar_one()
    session.connection().execute(
        text("UPDATE webhook_events SET rowid = :number WHERE id = :id"),
        [{"number": number, "id": event_id} for number, event_id in enumerate(ids, last + 1)],
    )


def _put_aside(session: Session, owner: Owner, kind: str, ids: frozenset[str]) -> None:
    if not ids:
        return
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    session.execute(
        dialect.insert(RetentionWaiting).on_conflict_do_nothing(),
        [{"integration_id": owner.id, "kind": kind, "event_id": id_} for id_ in sorted(ids)],
    )


def _strip_keys(session: Session, ids: Sequence[str], limit: int) -> int:
    place = (col(EventKey.event_id), col(EventKey.kind), col(EventKey.value))
    chosen = select(*place).where(col(EventKey.event_id).in_(ids)).limit(limit)
    return _count(session.execute(delete(EventKey).where(tuple_(*place).in_(chosen))))


def _strip(session: Session, table: Any, condition: Any, limit: int) -> int:
    chosen = select(col(table.id)).where(condition).limit(limit)
    return _count(session.execute(delete(table).where(col(table.id).in_(chosen))))


def _count(result: Any) -> int:
    return int(result.rowcount)
