"""What a replay would do: how many, where to, how long, and what is left out and why."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from lib.access import Actor
from lib.clock import now
from lib.models import Delivery, Destination, WebhookEvent
from lib.outgoing.delivery_filters import FINISHED, Condition, DeliveryFilters
from lib.outgoing.delivery_views import DeliveryRow, view_delivery
from lib.outgoing.estimates import estimate_seconds
from lib.outgoing.replay_rows import Scope, joined, ready

# Sorts before every id.
START = ""
_SAMPLE = 5


@dataclass(frozen=True)
class Share:
    """What of a dry run goes to one destination; one that `waits` is paused or disabled."""

    destination_id: str
    name: str
    count: int
    seconds: float
    waits: bool


@dataclass(frozen=True)
class DryRun:
    """What a replay would do; `start` takes it and does exactly that.

    `sample` holds the newest five. `still_open`, `removed_destination` and `removed_payload`
    match too but are left out; `replayed_before` are among `count`.
    """

    filters: DeliveryFilters
    count: int
    destinations: tuple[Share, ...]
    sample: tuple[DeliveryRow, ...]
    estimated_seconds: float
    replayed_before: int
    still_open: int
    removed_destination: int
    removed_payload: int
    until_id: str
    counted_at: datetime

    @property
    def left_out(self) -> tuple[str, ...]:
        """One sentence for each reason why some that match are not replayed."""
        said = (
            (self.still_open, "not finished yet: use Retry now on them, or wait"),
            (self.removed_destination, "to a destination that was removed: send the events anew"),
            (self.removed_payload, "of events whose payload was removed by retention"),
        )
        return tuple(f"{count:,} left out, {why}." for count, why in said if count)


def look(session: Session, actor: Actor, filters: DeliveryFilters) -> DryRun:
    """Return what a replay of what `actor` may see of `filters` would do."""
    scope = Scope(None if actor.sees_all else actor.id, filters, counted_at=now())
    tallies = session.execute(_tally(scope)).all()
    shares = [_share(session, row) for row in tallies if row.ready]
    until_id = max((row.until_id for row in tallies if row.ready), default=START)
    return DryRun(
        filters=filters,
        count=sum(share.count for share in shares),
        destinations=tuple(sorted(shares, key=lambda share: -share.count)),
        sample=_sample(session, scope, until_id, actor=actor),
        estimated_seconds=max((share.seconds for share in shares if not share.waits), default=0.0),
        replayed_before=sum(int(row.replayed) for row in tallies),
        still_open=sum(int(row.open) for row in tallies),
        removed_destination=sum(int(row.placeless) for row in tallies),
        removed_payload=sum(int(row.empty) for row in tallies),
        until_id=until_id,
        counted_at=scope.counted_at,
    )


def _tally(scope: Scope) -> Any:
    """Return the select that counts by destination: replayable, and left out for which reason."""
    later = aliased(Delivery)
    is_ready = ready(scope.counted_at)
    is_finished = col(Delivery.status).in_(FINISHED)
    is_placeless = and_(is_finished, col(Destination.deleted_at).is_not(None))
    is_empty = and_(is_finished, col(WebhookEvent.payload_removed_at).is_not(None), ~is_placeless)
    # By the event, for that has an index: a replay is of the same event as its origin.
    was_replayed = (
        select(col(later.id))
        .where(
            col(later.event_id) == col(Delivery.event_id), col(later.origin_id) == col(Delivery.id)
        )
        .correlate(Delivery)
        .exists()
    )
    return joined(
        scope,
        col(Delivery.destination_id),
        _counting(is_ready).label("ready"),
        _counting(and_(is_ready, was_replayed)).label("replayed"),
        _counting(~is_finished).label("open"),
        _counting(is_placeless).label("placeless"),
        _counting(is_empty).label("empty"),
        func.max(case((is_ready, col(Delivery.id)))).label("until_id"),
    ).group_by(col(Delivery.destination_id))


def _counting(condition: Condition) -> Any:
    return func.sum(case((condition, 1), else_=0))


def _share(session: Session, row: Any) -> Share:
    destination = session.get_one(Destination, row.destination_id)
    count = int(row.ready)
    return Share(
        destination_id=destination.id,
        name=destination.name,
        count=count,
        seconds=estimate_seconds(session, destination, count),
        waits=not destination.is_active or destination.disabled_at is not None,
    )


def _sample(
    session: Session, scope: Scope, until_id: str, *, actor: Actor
) -> tuple[DeliveryRow, ...]:
    query = (
        joined(scope, Delivery, Destination)
        .where(ready(scope.counted_at), col(Delivery.id) <= until_id)
        .order_by(col(Delivery.id).desc())
        .limit(_SAMPLE)
    )
    return tuple(view_delivery(row, place, actor) for row, place in session.execute(query))
