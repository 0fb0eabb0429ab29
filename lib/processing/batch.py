"""The worker's first step: pending events become findable, counted, routed, and done.

Each event is counted and routed exactly once: its status, its keys, its count, what it reports
and its deliveries change in one transaction, and only while this worker still holds the lease.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import insert, select, update
from sqlmodel import Session, col

from lib.clock import hour_of, now
from lib.errors import SecretUnreadable
from lib.hub import Hub
from lib.ids import new_id
from lib.models import EventKey, HourlyRollup, SearchDocument, WebhookEvent
from lib.outgoing.envelope import facts_of
from lib.outgoing.routing import (
    ActiveRoute,
    RoutedEvent,
    RoutesByIntegration,
    enqueue,
    load_routes,
    routes_for,
)
from lib.processing.conversations import OwnedTurn, follow
from lib.processing.derivation import Derived, derive
from lib.processing.message_states import OwnedReport, Place, advance
from lib.processing.rollups import add_counts
from lib.pseudonyms import load_pseudonyms

log = structlog.get_logger()

BATCH = 200
LEASE = timedelta(seconds=60)
# Stands in the place of the HTTP method of an event that staff made from another by an edit.
EDITED = "EDIT"
MOST_ATTEMPTS = 5
_FIRST_RETRY = timedelta(seconds=5)
# What reading a payload of an unforeseen shape can raise; anything else is a fault of ours
# that should end the process and be seen.
_SHAPE_ERRORS = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


def process_batch(hub: Hub) -> int:
    """Process up to 200 due events and return how many were taken.

    Any number of workers may do this at once; one that dies leaves its events to be taken
    again when its lease has run out.
    """
    if not _is_any_due(hub):
        return 0
    lease_id = new_id("lea")
    with hub.database.write() as session:
        rows = _claim(session, lease_id, is_sqlite=hub.database.is_sqlite)
        routes = load_routes(session, {row.integration_id for row in rows})
    if not rows:
        return 0
    work = _prepare(rows, routes)
    work.contacts = _name_contacts(hub, work.derived)
    with hub.database.write() as session:
        held = _lock_held(session, lease_id, [row.id for row in rows])
        done = held & work.derived.keys()
        _finish(session, done)
        _keep(session, [row for row in rows if row.id in done], work)
        enqueue(session, [pair for pair in work.routed if pair[0].facts.id in done])
        for row in rows:
            if row.id in held and row.id in work.failed:
                _put_off(session, row.id, row.attempts + 1, why=work.failed[row.id])
    return len(rows)


@dataclass
class _Work:
    """What a batch comes to, before any of it is written."""

    derived: dict[str, Derived] = field(default_factory=dict)
    routed: list[tuple[RoutedEvent, ActiveRoute]] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    # The digests of whom events with a turn of a conversation are about.
    contacts: dict[str, str] = field(default_factory=dict)


def _prepare(rows: Sequence[Any], routes: RoutesByIntegration) -> _Work:
    work = _Work()
    for row in rows:
        try:
            event = RoutedEvent(row.user_id, facts_of(row))
            work.derived[row.id] = derive(event.facts)
            taken_by = routes_for(event.facts, routes.get(row.integration_id, ()))
            work.routed += [(event, route) for route in taken_by]
        except _SHAPE_ERRORS as error:
            log.exception("event_not_processed", event_id=row.id)
            work.derived.pop(row.id, None)
            work.failed[row.id] = f"The payload could not be read ({type(error).__name__})."
    return work


def _name_contacts(hub: Hub, derived: dict[str, Derived]) -> dict[str, str]:
    turns = {event_id: item.turn for event_id, item in derived.items() if item.turn}
    if not turns:
        return {}
    try:
        names = load_pseudonyms(hub)
    except SecretUnreadable:
        # Replies go uncounted then; events must not wait for a master key that is missing.
        log.exception("contact_key_unreadable")
        return {}
    return {event_id: names.name(turn.contact) for event_id, turn in turns.items()}


def _is_any_due(hub: Hub) -> bool:
    """Look before taking the write lock, which an idle worker would hold for nothing."""
    due = select(col(WebhookEvent.id)).where(
        col(WebhookEvent.status) == "pending", col(WebhookEvent.due_at) <= now()
    )
    with hub.database.read() as session:
        return session.execute(due.limit(1)).first() is not None


def _claim(session: Session, lease_id: str, *, is_sqlite: bool) -> Sequence[Any]:
    moment = now()
    due = (
        select(col(WebhookEvent.id))
        .where(col(WebhookEvent.status) == "pending", col(WebhookEvent.due_at) <= moment)
        .order_by(col(WebhookEvent.due_at))
        .limit(BATCH)
    )
    if not is_sqlite:
        due = due.with_for_update(skip_locked=True)
    ids = list(session.execute(due).scalars())
    if not ids:
        return []
    claim = (
        update(WebhookEvent)
        .where(col(WebhookEvent.id).in_(ids))
        .values(lease_id=lease_id, due_at=moment + LEASE)
        .returning(
            col(WebhookEvent.id),
            col(WebhookEvent.user_id),
            col(WebhookEvent.integration_id),
            col(WebhookEvent.service_name),
            col(WebhookEvent.event_type),
            col(WebhookEvent.external_id),
            col(WebhookEvent.method),
            col(WebhookEvent.content_type),
            col(WebhookEvent.payload),
            col(WebhookEvent.attempts),
            col(WebhookEvent.created_at),
        )
    )
    return session.execute(claim).all()


def _lock_held(session: Session, lease_id: str, ids: Sequence[str]) -> set[str]:
    """Return which of the events this worker still holds, locked.

    By id, as receivers lock those that came again, so that neither waits for the other.
    """
    held = (
        select(col(WebhookEvent.id))
        .where(
            col(WebhookEvent.id).in_(ids),
            col(WebhookEvent.lease_id) == lease_id,
            col(WebhookEvent.status) == "pending",
        )
        .order_by(col(WebhookEvent.id))
        .with_for_update()
    )
    return set(session.execute(held).scalars())


def _finish(session: Session, ids: set[str]) -> None:
    session.execute(
        update(WebhookEvent)
        .where(col(WebhookEvent.id).in_(ids))
        .values(status="success", lease_id=None, error=None)
    )


def _put_off(session: Session, event_id: str, attempts: int, *, why: str) -> None:
    is_last = attempts >= MOST_ATTEMPTS
    wait = _FIRST_RETRY * 2 ** (attempts - 1)
    session.execute(
        update(WebhookEvent)
        .where(col(WebhookEvent.id) == event_id)
        .values(
            status="failed" if is_last else "pending",
            attempts=attempts,
            lease_id=None,
            due_at=now() + wait,
            error=why,
        )
    )


def _keep(session: Session, rows: list[Any], work: _Work) -> None:
    if not rows:
        return
    derived = work.derived
    keys = [
        {"event_id": row.id, "kind": kind, "value": value}
        for row in rows
        for kind, value in _all_keys(row, derived[row.id])
    ]
    if keys:
        session.execute(insert(EventKey), keys)
    session.execute(
        insert(SearchDocument), [{"event_id": row.id, "text": derived[row.id].text} for row in rows]
    )
    _count(session, rows)
    # What a person made up by an edit was reported by nobody.
    received = [row for row in rows if row.method != EDITED]
    reports = ((row, derived[row.id].report) for row in received)
    begun = advance(
        session,
        [
            OwnedReport(row.integration_id, row.user_id, found, row.created_at)
            for row, found in reports
            if found
        ],
    )
    follow(session, _turns(received, work, begun))


def _turns(rows: list[Any], work: _Work, begun: dict[Place, datetime]) -> Iterator[OwnedTurn]:
    """Yield the turns of conversations; a message that is reported on often is one turn."""
    for row in rows:
        turn, report, at = work.derived[row.id].turn, work.derived[row.id].report, row.created_at
        if turn is None or row.id not in work.contacts:
            continue
        if report is not None:
            first_at = begun.pop(Place(row.integration_id, report.sid), None)
            if first_at is None:
                continue
            at = first_at
        digest = work.contacts[row.id]
        yield OwnedTurn(row.integration_id, row.user_id, digest, turn.is_ours, at)


def _all_keys(row: Any, derived: Derived) -> set[tuple[str, str]]:
    own = {("id", row.external_id)} if row.external_id else set()
    return {*derived.keys, *own}


def _count(session: Session, rows: list[Any]) -> None:
    counts = Counter(
        (
            hour_of(row.created_at),
            row.integration_id,
            row.event_type,
            row.user_id,
            row.service_name,
            "edited" if row.method == EDITED else "received",
        )
        for row in rows
    )
    names = ("hour", "integration_id", "event_type", "user_id", "service_name", "outcome")
    # In one order everywhere, so that two workers cannot wait for each other's rows.
    values = [
        {**dict(zip(names, place, strict=True)), "count": count}
        for place, count in sorted(counts.items())
    ]
    add_counts(session, HourlyRollup, values)
