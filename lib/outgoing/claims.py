"""Taking due deliveries out of the queue, fairly between destinations and within their limits.

Each destination is claimed for by itself, so one that owes a hundred thousand deliveries
costs the others nothing. Its state row is locked meanwhile: the limits hold across workers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
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
from lib.providers.registry import find_target

# Another worker holds a destination's row, or its requests fill the destination's limit.
_SOON = timedelta(milliseconds=100)
# How many times the limit a worker leases beyond it. A turn has its price on PostgreSQL, most of
# all in round trips, so it should be worth some hundred deliveries.
AHEAD = 4
NOTHING_HELD: Mapping[str, int] = MappingProxyType({})


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


def claim(
    session: Session, lease: Lease, *, capacity: int, held: Mapping[str, int] = NOTHING_HELD
) -> Claims:
    """Hold up to `capacity` due deliveries under `lease`, an even share for each destination.

    `held` is what this worker holds already. While nobody else holds anything of a destination
    in good health, it gets more than may be under way at once: its worker keeps the limit by
    itself, and so it holds across all of them.
    """
    first = first_due(session)
    later = [due_at for due_at in first.values() if due_at > lease.taken_at]
    due_ids = [name for name, due_at in first.items() if due_at <= lease.taken_at]
    ready = _lock_open(session, due_ids, lease.taken_at, later=later) if due_ids else []
    claimed: list[Claimed] = []
    for position, item in enumerate(sorted(ready, key=lambda item: item.in_flight)):
        # What one leaves of its share is for those behind it.
        share = (capacity - len(claimed)) // (len(ready) - position)
        count = min(share, _budget(item, lease.taken_at, own=held.get(item.destination.id, 0)))
        taken = _take(session, item, lease, count=count) if count > 0 else []
        claimed += _join_events(session, item.destination, lease, rows=taken)
        if count <= 0 or len(taken) == count:
            later.append(_look_again_at(item, lease.taken_at))
    return Claims(claimed, min(later, default=None))


def renew(session: Session, claimed: Sequence[Claimed], until: datetime) -> None:
    """Hold longer what is still under its lease; what another worker holds by now stays so."""
    statement = update(DELIVERIES).where(still_held(claimed)).values(lease_until=until)
    session.connection().execute(statement)


def release_expired(session: Session, moment: datetime) -> int:
    """Return deliveries to the queue whose worker did not come back; say how many."""
    return _requeue(session, expired(moment), moment)


def release_claimed(session: Session, claimed: Sequence[Claimed], moment: datetime) -> int:
    """Return deliveries to the queue that their worker gives up; say how many."""
    return _requeue(session, still_held(claimed), moment) if claimed else 0


def expired(moment: datetime) -> ColumnElement[bool]:
    """Return the condition for deliveries whose worker did not come back."""
    return col(Delivery.lease_until) < moment


def still_held(claimed: Sequence[Claimed]) -> ColumnElement[bool]:
    """Return the condition for those deliveries that are still under their leases."""
    leases = {item.lease.id for item in claimed}
    return col(Delivery.id).in_([item.id for item in claimed]) & col(Delivery.lease_id).in_(leases)


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


def _budget(item: _Open, moment: datetime, *, own: int) -> int:
    free = breaker.most_at_once(item.state, item.limits.concurrency) - item.in_flight
    if item.limits.rate is None:
        return free + AHEAD * item.limits.concurrency if _may_lead(item, own) else free
    pace.refill(item.state, item.limits.rate, moment)
    return min(free, pace.allowance(item.state, item.limits.rate))


def _may_lead(item: _Open, own: int) -> bool:
    """Say whether deliveries may wait in the worker, for which nothing may stop them there.

    An action is never leased before it can begin: what its worker holds when it is lost counts
    as done.
    """
    target = find_target(item.destination.kind)
    is_alone = item.in_flight <= own
    return is_alone and breaker.is_well(item.state) and target is not None and target.has_address


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
    # PostgreSQL returns them in no order, and some will wait for others.
    taken = sorted(taken, key=lambda row: row.id)
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
