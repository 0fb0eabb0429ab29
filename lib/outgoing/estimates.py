"""How long a destination needs for so many deliveries, as far as its recent past can tell."""

from sqlalchemy import func
from sqlmodel import Session, col, select

from lib.models import Delivery, DeliveryAttempt, Destination
from lib.providers.registry import all_targets
from lib.providers.targets import RateLimit

DEFAULT_CONCURRENCY = 50
# What one attempt takes where there is no past to look at.
_ASSUMED_SECONDS = 0.5
_RECENT = 50
_FIVE_MINUTES = 300


def estimate_seconds(session: Session, destination: Destination, count: int) -> float:
    """Return how long `count` deliveries take when nothing else waits and all goes well."""
    at_once = int(destination.config_data.get("concurrency") or DEFAULT_CONCURRENCY)
    per_second = at_once / _mean_seconds(session, destination.id)
    if (limit := _rate_limit(destination)) is not None:
        per_second = min(per_second, limit)
    return count / per_second


def _rate_limit(destination: Destination) -> float | None:
    own = destination.config_data.get("rate_limit")
    if own:
        limit = RateLimit(float(own["per_second"]), own.get("per_five_minutes"))
    else:
        limits = [item.rate_limit for item in all_targets() if item.kind == destination.kind]
        if not limits or limits[0] is None:
            return None
        limit = limits[0]
    if limit.per_five_minutes is None:
        return limit.per_second
    return min(limit.per_second, limit.per_five_minutes / _FIVE_MINUTES)


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
