"""Taking due deliveries out of the queue, fairly between destinations and within their limits.

Each destination is claimed for by itself, so one that owes a hundred thousand deliveries
costs the others nothing. Its state row is locked meanwhile: the limits hold across workers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select, update
from sqlmodel import Session, col

from lib.models import Delivery, Destination, DestinationState, WebhookEvent
from lib.outgoing import breaker, pace
from lib.outgoing.envelope import EventFacts
from lib.outgoing.limits import Limits, limits_of

Rows = Select[*tuple[Any, ...]]
# Another worker holds a destination's row, or its requests fill the destination's limit.
_SOON = timedelta(milliseconds=100)


@dataclass(frozen=True)
class Lease:
    """Under which name, from when and until when a worker holds what it claims."""

    id: str
    taken_at: datetime
    until: datetime


@dataclass(frozen=True, repr=False)
class Claimed:
    """A delivery that this worker now holds; `attempts` were made before.

    `event` is None when retention has removed its payload.
    """

    id: str
    user_id: str
    integration_id: str
    destination: Destination
    mapping: str | None
    attempts: int
    first_attempt_at: datetime | None
    lease: Lease
    event: EventFacts | None


@dataclass(frozen=True, repr=False)
class Claims:
    """What was claimed, and when there may be more; None when the queue is empty."""

    claimed: Sequence[Claimed]
    more_at: datetime | None


@dataclass(frozen=True)
class _Open:
    """A destination that may be sent to now, with its state row locked."""

    destination: Destination
    state: DestinationState
    limits: Limits
    in_flight: int


def first_due(session: Session) -> dict[str, datetime]:
    """Return by destination when its first queued delivery is due.

    The query hops from one destination to the next in the queue's index, so its cost grows
    with the destinations that are owed something, not with what they are owed.
    """
    queued = col(Delivery.next_attempt_at).is_not(None)
    destination_id = col(Delivery.destination_id)
    hops = select(func.min(destination_id).label("id")).where(queued).cte("hops", recursive=True)
    following = select(func.min(destination_id)).where(queued, destination_id > hops.c.id)
    hops = hops.union_all(select(following.scalar_subquery()).where(hops.c.id.is_not(None)))
    earliest = select(func.min(col(Delivery.next_attempt_at))).where(
        queued, destination_id == hops.c.id
    )
    found: Rows = select(hops.c.id, earliest.scalar_subquery())
    return {row[0]: row[1] for row in session.execute(found.where(hops.c.id.is_not(None)))}


def claim(session: Session, lease: Lease, *, capacity: int) -> Claims:
    """Hold up to `capacity` due deliveries under `lease`, an even share for each destination."""
    first = first_due(session)
    later = [due_at for due_at in first.values() if due_at > lease.taken_at]
    due_ids = [name for name, due_at in first.items() if due_at <= lease.taken_at]
    ready = _lock_open(session, due_ids, lease.taken_at, later=later) if due_ids else []
    claimed: list[Claimed] = []
    for position, item in enumerate(sorted(ready, key=lambda item: item.in_flight)):
        # What one leaves of its share is for those behind it.
        share = (capacity - len(claimed)) // (len(ready) - position)
        count = min(share, _budget(item, lease.taken_at))
        taken = _take(session, item, lease, count=count) if count > 0 else []
        claimed += _join_events(session, item.destination, lease, rows=taken)
        if count <= 0 or len(taken) == count:
            later.append(_look_again_at(item, lease.taken_at))
    return Claims(claimed, min(later, default=None))


def release_expired(session: Session, moment: datetime) -> int:
    """Return deliveries to the queue whose worker did not come back; say how many."""
    return _requeue(session, expired(moment), moment)


def release(session: Session, lease_ids: Sequence[str], moment: datetime) -> int:
    """Return deliveries to the queue that their worker gives up; say how many."""
    return _requeue(session, held(lease_ids), moment)


def expired(moment: datetime) -> ColumnElement[bool]:
    """Return the condition for deliveries whose worker did not come back."""
    return col(Delivery.lease_until) < moment


def held(lease_ids: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition for deliveries that are still under these leases."""
    return col(Delivery.lease_until).is_not(None) & col(Delivery.lease_id).in_(lease_ids)


def _lock_open(
    session: Session, ids: Sequence[str], moment: datetime, *, later: list[datetime]
) -> list[_Open]:
    """Lock the states of those that may be sent to; add to `later` when to ask for others."""
    query = select(Destination, DestinationState).join(
        DestinationState, col(DestinationState.destination_id) == col(Destination.id)
    )
    usable = (
        col(Destination.id).in_(ids),
        col(Destination.is_active),
        col(Destination.disabled_at).is_(None),
        col(Destination.deleted_at).is_(None),
    )
    states: list[DestinationState] = []
    destinations: dict[str, Destination] = {}
    for destination, state in session.execute(query.where(*usable)):
        destinations[destination.id] = destination
        states.append(state)
    later += [at for state in states if (at := state.blocked_until) and _is_blocked(state, moment)]
    wanted = [state.destination_id for state in states if not _is_blocked(state, moment)]
    locked = _lock_states(session, wanted)
    if len(locked) < len(wanted):
        later.append(moment + _SOON)
    in_flight = _count_in_flight(session, [state.destination_id for state in locked])
    return [
        _Open(
            destinations[state.destination_id],
            state,
            limits_of(destinations[state.destination_id]),
            in_flight.get(state.destination_id, 0),
        )
        for state in locked
        if not _is_blocked(state, moment)
    ]


def _is_blocked(state: DestinationState, moment: datetime) -> bool:
    return state.blocked_until is not None and state.blocked_until > moment


def _lock_states(session: Session, ids: Sequence[str]) -> Sequence[DestinationState]:
    """Lock the rows that no other worker holds, as they are now."""
    query = (
        select(DestinationState)
        .where(col(DestinationState.destination_id).in_(ids))
        .order_by(col(DestinationState.destination_id))
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return session.execute(query).scalars().all() if ids else []


def _count_in_flight(session: Session, ids: Sequence[str]) -> dict[str, int]:
    query: Rows = (
        select(col(Delivery.destination_id), func.count())
        .where(col(Delivery.lease_until).is_not(None), col(Delivery.destination_id).in_(ids))
        .group_by(col(Delivery.destination_id))
    )
    return {row[0]: row[1] for row in session.execute(query)} if ids else {}


def _budget(item: _Open, moment: datetime) -> int:
    free = breaker.most_at_once(item.state, item.limits.concurrency) - item.in_flight
    if item.limits.rate is None:
        return free
    pace.refill(item.state, item.limits.rate, moment)
    return min(free, pace.allowance(item.state, item.limits.rate))


def _look_again_at(item: _Open, moment: datetime) -> datetime:
    """Return when a destination that may be owed more can be claimed for again."""
    rate = item.limits.rate
    if rate is not None and pace.allowance(item.state, rate) == 0:
        return pace.free_at(item.state, rate)
    return moment + _SOON


def _take(session: Session, item: _Open, lease: Lease, *, count: int) -> Sequence[Any]:
    next_attempt_at = col(Delivery.next_attempt_at)
    chosen = (
        select(col(Delivery.id))
        .where(
            next_attempt_at <= lease.taken_at,
            col(Delivery.destination_id) == item.destination.id,
        )
        .order_by(next_attempt_at, col(Delivery.id))
        .limit(count)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(Delivery)
        .where(col(Delivery.id).in_(chosen))
        .values(status="sending", next_attempt_at=None, lease_id=lease.id, lease_until=lease.until)
        .returning(
            col(Delivery.id),
            col(Delivery.user_id),
            col(Delivery.integration_id),
            col(Delivery.event_id),
            col(Delivery.mapping),
            col(Delivery.attempts),
            col(Delivery.first_attempt_at),
        )
        .execution_options(synchronize_session=False)
    )
    taken = session.execute(statement).all()
    if taken:
        breaker.begin_probe(item.state)
        pace.take(item.state, len(taken))
    return taken


def _join_events(
    session: Session, destination: Destination, lease: Lease, *, rows: Sequence[Any]
) -> list[Claimed]:
    events = _load_events(session, {row.event_id for row in rows}) if rows else {}
    return [
        Claimed(
            id=row.id,
            user_id=row.user_id,
            integration_id=row.integration_id,
            destination=destination,
            mapping=row.mapping,
            attempts=row.attempts,
            first_attempt_at=row.first_attempt_at,
            lease=lease,
            event=events.get(row.event_id),
        )
        for row in rows
    ]


def _load_events(session: Session, ids: set[str]) -> dict[str, EventFacts]:
    query: Rows = select(
        col(WebhookEvent.id),
        col(WebhookEvent.event_type),
        col(WebhookEvent.created_at),
        col(WebhookEvent.service_name),
        col(WebhookEvent.integration_id),
        col(WebhookEvent.content_type),
        col(WebhookEvent.payload),
    ).where(col(WebhookEvent.id).in_(ids), col(WebhookEvent.payload_removed_at).is_(None))
    return {row.id: EventFacts(*row) for row in session.execute(query)}


def _requeue(session: Session, condition: Any, moment: datetime) -> int:
    status = case((col(Delivery.attempts) > 0, "retrying"), else_="pending")
    statement = (
        update(Delivery)
        .where(condition)
        .values(status=status, next_attempt_at=moment, lease_id=None, lease_until=None)
        .returning(col(Delivery.id))
        .execution_options(synchronize_session=False)
    )
    return len(session.execute(statement).all())
