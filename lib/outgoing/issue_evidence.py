"""What the dead letters of an issue show: the newest, when they died, whom they concern."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from lib.access import Actor
from lib.clock import hour_of
from lib.models import Delivery, Destination, EventKey
from lib.outgoing.delivery_views import DeliveryRow, view_delivery

# The chart and the contacts look at this many of the newest dead letters and no further.
LOOKED_AT = 2_000
_SAMPLE = 10
_SHOWN_CONTACTS = 5
_CONTACT_KINDS = ("phone", "email", "contact_id")


def newest_dead(session: Session, issue_id: str, actor: Actor) -> tuple[DeliveryRow, ...]:
    """Return the newest ten dead letters of an issue."""
    query = (
        select(Delivery, Destination)
        .join(Destination, col(Destination.id) == col(Delivery.destination_id))
        .where(col(Delivery.issue_id) == issue_id)
        .order_by(col(Delivery.id).desc())
        .limit(_SAMPLE)
    )
    return tuple(view_delivery(row, place, actor) for row, place in session.exec(query))


def count_hours(session: Session, issue_id: str) -> tuple[tuple[datetime, int], ...]:
    """Return how many of the newest dead letters ended in which hour."""
    query = (
        select(func.coalesce(col(Delivery.finished_at), col(Delivery.created_at)))
        .where(col(Delivery.issue_id) == issue_id)
        .order_by(col(Delivery.id).desc())
        .limit(LOOKED_AT)
    )
    ends: Sequence[datetime] = session.exec(query).all()
    hours = Counter(hour_of(end) for end in ends)
    return tuple(sorted(hours.items()))


def find_contacts(session: Session, issue_id: str) -> tuple[int, tuple[str, ...]]:
    """Return about how many people the newest dead letters concern, and the first few of them."""
    newest = (
        select(col(Delivery.event_id))
        .where(col(Delivery.issue_id) == issue_id)
        .order_by(col(Delivery.id).desc())
        .limit(LOOKED_AT)
        .subquery()
    )
    is_affected = col(EventKey.event_id).in_(select(newest.c.event_id))
    counts = session.exec(
        select(col(EventKey.kind), func.count(col(EventKey.value).distinct()))
        .where(is_affected, col(EventKey.kind).in_(_CONTACT_KINDS))
        .group_by(col(EventKey.kind))
    ).all()
    if not counts:
        return 0, ()
    # One person has a phone, an e-mail and an id; the kind that most events name counts them.
    kind, count = max(counts, key=lambda each: (int(each[1]), each[0] == _CONTACT_KINDS[0]))
    first = (
        select(col(EventKey.value))
        .where(is_affected, col(EventKey.kind) == kind)
        .group_by(col(EventKey.value))
        .order_by(func.max(col(EventKey.event_id)).desc())
        .limit(_SHOWN_CONTACTS)
    )
    return int(count), tuple(session.exec(first))
