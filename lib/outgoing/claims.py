"""Taking due deliveries out of the queue, fairly between destinations and within their limits.

Each destination is claimed for by itself, so one that owes a hundred thousand deliveries
costs the others nothing. Its state row is locked meanwhile: the limits hold across workers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, update
from sqlmodel import Session, col

from lib.id_lists import listed
from lib.models import Delivery, Destination, DestinationState
from lib.outgoing import breaker, pace
from lib.outgoing import claim_statements as statements
from lib.outgoing.claim_statements import DELIVERIES
from lib.outgoing.envelope import EventFacts
from lib.outgoing.limits import Limits, limits_of

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
    """Return by destination when its first queued delivery is due; paused ones are left out."""
    return {row[0]: row[1] for row in session.connection().execute(statements.FIRST_DUE)}


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
    locked = session.execute(statements.LOCK_USABLE, listed(ids)).all()
    if len(locked) < len(ids):
        later.append(moment + _SOON)
    later += [at for _, state in locked if (at := state.blocked_until) and at > moment]
    ready = [(place, state) for place, state in locked if not _is_blocked(state, moment)]
    # Only with the lock is the count what it will stay.
    in_flight = _count_in_flight(session, [place.id for place, _ in ready])
    return [
        _Open(place, state, limits_of(place), in_flight.get(place.id, 0)) for place, state in ready
    ]


def _is_blocked(state: DestinationState, moment: datetime) -> bool:
    return state.blocked_until is not None and state.blocked_until > moment


def _count_in_flight(session: Session, ids: Sequence[str]) -> dict[str, int]:
    if not ids:
        return {}
    rows = session.connection().execute(statements.COUNT_IN_FLIGHT, listed(ids))
    return {row[0]: row[1] for row in rows}


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
    values = {
        "destination": item.destination.id,
        "moment": lease.taken_at,
        "count": count,
        "lease": lease.id,
        "until": lease.until,
    }
    taken = session.connection().execute(statements.TAKE, values).all()
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
            lease=lease,
            event=events.get(row.event_id),
        )
        for row in rows
    ]


def _load_events(session: Session, ids: set[str]) -> dict[str, EventFacts]:
    rows = session.connection().execute(statements.LOAD_EVENTS, listed(ids))
    return {row.id: EventFacts(*row) for row in rows}


def _requeue(session: Session, condition: Any, moment: datetime) -> int:
    status = case((DELIVERIES.c.attempts > 0, "retrying"), else_="pending")
    statement = (
        update(DELIVERIES)
        .where(condition)
        .values(status=status, next_attempt_at=moment, lease_id=None, lease_until=None)
    )
    return session.connection().execute(statement).rowcount
