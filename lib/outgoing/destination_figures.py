"""How destinations fare: their state, the last 24 hours from rollups, and what is queued."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Select, func
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from lib.access import Actor
from lib.clock import hour_of, now
from lib.connections.figures import count_attempts
from lib.histogram import percentile
from lib.hub import Hub
from lib.lists.paging import Page, check_limit
from lib.models import Delivery, Destination, DestinationState, User
from lib.outgoing.destination_rows import visible_row
from lib.outgoing.destination_views import DestinationView, view
from lib.outgoing.outcomes import success_share

HOURS = 24
# Further rows are not counted: a queue of a million must not be read at each look.
QUEUE_CAP = 1_000
_SHARE = 0.95

State = Literal["active", "paused", "disabled", "open", "waiting", "half_open"]


@dataclass(frozen=True)
class DestinationFigures:
    """One destination with its figures; None where nothing was sent in 24 hours.

    `state` is disabled (it answered 410), paused, open (the breaker lets nothing through
    until `blocked_until`), waiting (it asked for a rest until then), half_open (the next
    delivery is a trial) or active. `queued` counts to `QUEUE_CAP`, one more means "or more".
    """

    destination: DestinationView
    state: State
    blocked_until: datetime | None
    success_share: float | None
    p95_milliseconds: float | None
    queued: int
    next_attempt_at: datetime | None


def destination_overview(
    hub: Hub, actor: Actor, *, cursor: str | None = None, limit: int = 50
) -> Page[DestinationFigures]:
    """Return the newest destinations that `actor` may see, with their figures."""
    query = (
        select(Destination, User.email)
        .join(User, col(User.id) == col(Destination.user_id))
        .where(col(Destination.deleted_at).is_(None))
        .order_by(col(Destination.id).desc())
        .limit(check_limit(limit) + 1)
    )
    if not actor.sees_all:
        query = query.where(col(Destination.user_id) == actor.id)
    if cursor is not None:
        query = query.where(col(Destination.id) < cursor)
    with hub.database.read() as session:
        found = session.exec(query).all()
        rows = _with_figures(session, actor, found[:limit])
    return Page(rows, rows[-1].destination.id if len(found) > limit else None)


def figures(hub: Hub, actor: Actor, destination_id: str) -> DestinationFigures:
    """Return one destination that `actor` may see with its figures; raise NotFound."""
    with hub.database.read() as session:
        return _with_figures(session, actor, [visible_row(session, actor, destination_id)])[0]


def _with_figures(
    session: Session, actor: Actor, found: Sequence[tuple[Destination, str]]
) -> list[DestinationFigures]:
    ids = [row.id for row, _ in found]
    queues = {row.id: row for row in session.execute(_queues(ids))}
    start = hour_of(now()) - timedelta(hours=HOURS - 1)
    outcomes, buckets = count_attempts(session, ids, start)
    return [
        DestinationFigures(
            destination=view(row, actor, owner=owner),
            state=_state(row, queues[row.id]),
            blocked_until=_still_blocked(queues[row.id]),
            success_share=success_share(outcomes[row.id]),
            p95_milliseconds=percentile(buckets[row.id], _SHARE),
            queued=queues[row.id].queued,
            next_attempt_at=queues[row.id].next_attempt_at,
        )
        for row, owner in found
    ]


def _queues(ids: Sequence[str]) -> Select[*tuple[Any, ...]]:
    """Return a query for state, queue and next attempt: each is a look into the queue's index."""
    queue = (
        sql_select(col(Delivery.next_attempt_at))
        .where(col(Delivery.destination_id) == col(Destination.id))
        .where(col(Delivery.next_attempt_at).is_not(None))
        .correlate(Destination)
    )
    counted = sql_select(func.count()).select_from(queue.limit(QUEUE_CAP + 1).subquery())
    following = queue.order_by(col(Delivery.next_attempt_at)).limit(1)
    return (
        sql_select(
            col(Destination.id),
            col(DestinationState.breaker),
            col(DestinationState.blocked_until),
            counted.scalar_subquery().label("queued"),
            following.scalar_subquery().label("next_attempt_at"),
        )
        .join(DestinationState, col(DestinationState.destination_id) == col(Destination.id))
        .where(col(Destination.id).in_(ids))
    )


def _still_blocked(queue: Any) -> datetime | None:
    until: datetime | None = queue.blocked_until
    return until if until is not None and until > now() else None


def _state(row: Destination, queue: Any) -> State:
    if row.disabled_at is not None:
        return "disabled"
    if not row.is_active:
        return "paused"
    if _still_blocked(queue):
        return "waiting" if queue.breaker == "closed" else "open"
    return "active" if queue.breaker == "closed" else "half_open"
