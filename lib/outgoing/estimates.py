"""How long a destination needs for so many deliveries, as far as its recent past can tell."""

from sqlalchemy import func
from sqlmodel import Session, col, select

from lib.models import Delivery, DeliveryAttempt, Destination
from lib.outgoing.limits import limits_of
from lib.providers.targets import RateLimit

# What one attempt takes where there is no past to look at.
_ASSUMED_SECONDS = 0.5
_RECENT = 50
_FIVE_MINUTES = 300


def estimate_seconds(session: Session, destination: Destination, count: int) -> float:
    """Return how long `count` deliveries take when nothing else waits and all goes well."""
    limits = limits_of(destination)
    per_second = limits.concurrency / _mean_seconds(session, destination.id)
    if limits.rate is not None:
        per_second = min(per_second, _per_second(limits.rate))
    return count / per_second


def _per_second(rate: RateLimit) -> float:
    if rate.per_five_minutes is None:
        return rate.per_second
    return min(rate.per_second, rate.per_five_minutes / _FIVE_MINUTES)


def _mean_seconds(session: Session, destination_id: str) -> float:
    recent = (
        select(col(Delivery.id))
        .where(col(Delivery.destination_id) == destination_id, col(Delivery.attempts) > 0)
        .order_by(col(Delivery.id).desc())
        .limit(_RECENT)
    )
    mean = session.exec(
        select(func.avg(col(DeliveryAttempt.total_ms))).where(
            col(DeliveryAttempt.delivery_id).in_(recent)
        )
    ).one()
    return max(float(mean) / 1000, 0.001) if mean is not None else _ASSUMED_SECONDS
