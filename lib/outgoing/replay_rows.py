"""Which finished deliveries a replay takes, and the batches in which it makes the new ones.

The dry run, the order and the worker ask by the same conditions. Finished deliveries never
change, so what they find can only lose rows, by retention or by a removed destination; what
ends after the count is kept out by its time, and what the replay makes by its number.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, insert, or_, select
from sqlmodel import Session, col

from lib.clock import now
from lib.ids import new_id
from lib.models import Delivery, Destination, Replay, WebhookEvent
from lib.outgoing.delivery_filters import (
    FINISHED,
    Condition,
    DeliveryFilters,
    from_json,
    narrowing,
    to_json,
)

BATCH = 500
_COPIED = (
    "user_id",
    "event_id",
    "destination_id",
    "route_id",
    "integration_id",
    "service_name",
    "event_type",
    "mapping",
)


@dataclass(frozen=True)
class Scope:
    """Whose deliveries an order reaches, which of them, and when they were counted.

    `owner_id` is None for staff. Only what was finished by `counted_at` belongs to it.
    """

    owner_id: str | None
    filters: DeliveryFilters
    counted_at: datetime

    def to_json(self) -> dict[str, Any]:
        """Return the scope as a replay's row keeps it."""
        return {
            "asked": to_json(self.filters),
            "owner_id": self.owner_id,
            "counted_at": self.counted_at.isoformat(),
        }


def read_scope(replay: Replay) -> Scope:
    """Return the scope that a replay's row keeps."""
    kept = replay.filters
    return Scope(
        owner_id=kept["owner_id"],
        filters=from_json(kept["asked"]),
        counted_at=datetime.fromisoformat(kept["counted_at"]),
    )


def joined(scope: Scope, *columns: Any) -> Select[*tuple[Any, ...]]:
    """Return a select over what the scope's filters match, finished or not."""
    query = (
        select(*columns)
        .select_from(Delivery)
        .join(Destination, col(Destination.id) == col(Delivery.destination_id))
        .join(WebhookEvent, col(WebhookEvent.id) == col(Delivery.event_id))
        .where(*narrowing(scope.filters))
    )
    return query if scope.owner_id is None else query.where(col(Delivery.user_id) == scope.owner_id)


def ready(counted_at: datetime) -> Condition:
    """Return the condition that a delivery can be replayed and was finished by `counted_at`."""
    return and_(
        col(Delivery.status).in_(FINISHED),
        func.coalesce(col(Delivery.finished_at), col(Delivery.created_at)) <= counted_at,
        col(Destination.deleted_at).is_(None),
        col(WebhookEvent.payload_removed_at).is_(None),
    )


def count_ready(session: Session, scope: Scope, *, until_id: str) -> int:
    """Return how many deliveries up to `until_id` an order would make anew."""
    query = joined(scope, func.count()).where(ready(scope.counted_at), col(Delivery.id) <= until_id)
    return int(session.execute(query).scalar_one())


def advance(session: Session, replay: Replay) -> int:
    """Make the next batch of a replay's deliveries and return how many were made.

    The new rows, the cursor and the count are one transaction, so a crash repeats none and
    leaves none out.
    """
    left = min(BATCH, replay.total - replay.made)
    origins = _next_origins(session, replay, left)
    if origins:
        moment = now()
        session.execute(insert(Delivery), [_again(row, replay, moment) for row in origins])
        replay.cursor = origins[-1].id
        replay.made += len(origins)
    if len(origins) < left or replay.made == replay.total:
        replay.status, replay.finished_at = "done", now()
    session.add(replay)
    return len(origins)


def _next_origins(session: Session, replay: Replay, limit: int) -> list[Any]:
    scope = read_scope(replay)
    columns = [col(getattr(Delivery, name)) for name in ("id", *_COPIED)]
    # An id of ours can only be below `until_id` when the clock of this machine is behind;
    # the number keeps it out even then.
    is_foreign = or_(col(Delivery.replay_id).is_(None), col(Delivery.replay_id) != replay.id)
    query = (
        joined(scope, *columns)
        .where(ready(scope.counted_at), is_foreign)
        .where(col(Delivery.id) > replay.cursor, col(Delivery.id) <= replay.until_id)
        .order_by(col(Delivery.id))
        .limit(limit)
        # What retention or a removal takes away meanwhile waits for this batch, or is not in it.
        .with_for_update(read=True, of=(WebhookEvent, Destination))
    )
    return list(session.execute(query).all())


def _again(origin: Any, replay: Replay, moment: datetime) -> dict[str, Any]:
    return {
        **{name: getattr(origin, name) for name in _COPIED},
        "id": new_id("dlv"),
        "status": "pending",
        "attempts": 0,
        "next_attempt_at": moment,
        "origin_id": origin.id,
        "replay_id": replay.id,
        "created_at": moment,
    }
