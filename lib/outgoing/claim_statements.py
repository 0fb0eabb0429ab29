"""The statements of claiming: on bare tables and made once.

They run some hundred times a second, and in this form they cost a fraction of what the mapped
classes' way costs.
"""

from typing import Any

from sqlalchemy import Select, Update, bindparam, func, select, update
from sqlmodel import col

from lib.id_lists import is_listed
from lib.models import Base, Delivery, Destination, DestinationState, WebhookEvent

DELIVERIES = Base.metadata.tables[Delivery.__tablename__]
EVENTS = Base.metadata.tables[WebhookEvent.__tablename__]
# A destination takes a hundred at once at the most; several workers do not add to that.
_MORE_THAN_ANY_LIMIT = 250
_QUEUED = DELIVERIES.c.next_attempt_at.is_not(None)

MAY_BE_SENT_TO = (
    col(Destination.is_active),
    col(Destination.disabled_at).is_(None),
    col(Destination.deleted_at).is_(None),
)


def _hop_through_queue() -> Select[Any]:
    """Return a query of when the first queued delivery is due of each that may be sent to.

    It hops from one destination to the next in the queue's index, so its cost grows with the
    destinations that are owed something, not with what they are owed.
    """
    first = select(func.min(DELIVERIES.c.destination_id).label("id")).where(_QUEUED)
    hops = first.cte("hops", recursive=True)
    following = select(func.min(DELIVERIES.c.destination_id)).where(
        _QUEUED, DELIVERIES.c.destination_id > hops.c.id
    )
    hops = hops.union_all(select(following.scalar_subquery()).where(hops.c.id.is_not(None)))
    earliest = select(func.min(DELIVERIES.c.next_attempt_at)).where(
        _QUEUED, DELIVERIES.c.destination_id == hops.c.id
    )
    return (
        select(hops.c.id, earliest.scalar_subquery())
        .join(Destination, col(Destination.id) == hops.c.id)
        .where(*MAY_BE_SENT_TO)
    )


def _take_from_queue() -> Update:
    """Return the statement that leases the first due deliveries of one destination."""
    chosen = (
        select(DELIVERIES.c.id)
        .where(
            DELIVERIES.c.next_attempt_at <= bindparam("moment"),
            DELIVERIES.c.destination_id == bindparam("destination"),
        )
        .order_by(DELIVERIES.c.next_attempt_at, DELIVERIES.c.id)
        .limit(bindparam("count"))
        .with_for_update(skip_locked=True)
    )
    return (
        update(DELIVERIES)
        .where(DELIVERIES.c.id.in_(chosen))
        .values(
            status="sending",
            next_attempt_at=None,
            lease_id=bindparam("lease"),
            lease_until=bindparam("until"),
        )
        .returning(
            DELIVERIES.c.id,
            DELIVERIES.c.user_id,
            DELIVERIES.c.integration_id,
            DELIVERIES.c.event_id,
            DELIVERIES.c.mapping,
            DELIVERIES.c.attempts,
        )
    )


def _count_leased() -> Select[Any]:
    """Return a query of how many deliveries are leased of each destination.

    With its limit PostgreSQL walks the index and marks entries of ended leases as dead. Without,
    it builds a bitmap, which marks none, and reads them all again until the next vacuum.
    """
    leased = (
        select(DELIVERIES.c.id)
        .where(
            DELIVERIES.c.destination_id == col(Destination.id),
            DELIVERIES.c.lease_until.is_not(None),
        )
        .order_by(DELIVERIES.c.lease_until)
        .limit(_MORE_THAN_ANY_LIMIT)
        .correlate(Destination)
    )
    counted = select(func.count()).select_from(leased.subquery())
    return select(col(Destination.id), counted.scalar_subquery()).where(
        is_listed(col(Destination.id))
    )


FIRST_DUE = _hop_through_queue()
TAKE = _take_from_queue()
# The rows that no other worker holds, as they are now.
LOCK_USABLE = (
    select(Destination, DestinationState)
    .join(DestinationState, col(DestinationState.destination_id) == col(Destination.id))
    .where(is_listed(col(Destination.id)), *MAY_BE_SENT_TO)
    .order_by(col(Destination.id))
    .with_for_update(of=DestinationState, skip_locked=True)
    .execution_options(populate_existing=True)
)
COUNT_IN_FLIGHT = _count_leased()
LOAD_EVENTS = select(
    EVENTS.c.id,
    EVENTS.c.event_type,
    EVENTS.c.created_at,
    EVENTS.c.service_name,
    EVENTS.c.integration_id,
    EVENTS.c.content_type,
    EVENTS.c.payload,
).where(is_listed(EVENTS.c.id), EVENTS.c.payload_removed_at.is_(None))
