"""How the events of connections fare onwards: success and speed of 24 hours, from rollups.

Deliveries are counted by destination. A connection's figures are those of the destinations
that its routes lead to; one that several connections share counts for each of them.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from lib.access import Actor
from lib.histogram import percentile
from lib.models import DeliveryRollup, Issue, Route
from lib.outgoing.outcomes import ARRIVED, success_share

_SHARE = 0.95


@dataclass(frozen=True)
class Onwards:
    """What became of the deliveries to a connection's destinations; None where none ended."""

    success_share: float | None = None
    p95_milliseconds: float | None = None


@dataclass(frozen=True)
class Delivered:
    """The deliveries of a period by hour, oldest first, and how many took one attempt."""

    hourly: tuple[int, ...]
    first_attempts: int
    first_successes: int

    @property
    def total(self) -> int:
        """How many arrived."""
        return sum(self.hourly)

    @property
    def first_attempt_share(self) -> float | None:
        """Which part of the first attempts succeeded; None without any."""
        return self.first_successes / self.first_attempts if self.first_attempts else None


def count_delivered(session: Session, actor: Actor, *, start: datetime, hours: int) -> Delivered:
    """Return what was delivered in each of the `hours` hours from `start` on."""
    columns = (
        col(DeliveryRollup.hour),
        col(DeliveryRollup.outcome),
        col(DeliveryRollup.attempt),
    )
    query = (
        select(*columns, func.sum(col(DeliveryRollup.count)))
        .where(col(DeliveryRollup.hour) >= start)
        .group_by(*columns)
    )
    if not actor.sees_all:
        query = query.where(col(DeliveryRollup.user_id) == actor.id)
    hourly = [0] * hours
    first, good = 0, 0
    for hour, outcome, attempt, count in session.exec(query):
        index = int((hour - start).total_seconds() // 3600)
        is_success = outcome in ARRIVED
        if is_success and index < hours:
            hourly[index] += int(count)
        if attempt == 1:
            first += int(count)
            good += int(count) if is_success else 0
    return Delivered(tuple(hourly), first, good)


def figures_by_integration(
    session: Session, actor: Actor, *, start: datetime
) -> dict[str, Onwards]:
    """Return the figures of the connections with active routes, by id."""
    routed = sql_select(col(Route.integration_id), col(Route.destination_id)).where(
        col(Route.deleted_at).is_(None), col(Route.is_active)
    )
    if not actor.sees_all:
        routed = routed.where(col(Route.user_id) == actor.id)
    pairs = routed.distinct().subquery()
    # An expression, for SQLite would else look for each destination in each hour.
    target = col(DeliveryRollup.destination_id).concat("")
    columns = (
        pairs.c.integration_id,
        col(DeliveryRollup.outcome),
        col(DeliveryRollup.bucket),
    )
    query = (
        sql_select(*columns, func.sum(col(DeliveryRollup.count)))
        .join(pairs, pairs.c.destination_id == target)
        .where(col(DeliveryRollup.hour) >= start)
        .group_by(*columns)
    )
    if not actor.sees_all:
        query = query.where(col(DeliveryRollup.user_id) == actor.id)
    outcomes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    buckets: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for integration_id, outcome, bucket, count in session.execute(query):
        outcomes[integration_id][outcome] += int(count)
        buckets[integration_id][bucket] += int(count)
    return {
        integration_id: Onwards(
            success_share(outcomes[integration_id]), percentile(buckets[integration_id], _SHARE)
        )
        for integration_id in outcomes
    }


def count_dead(session: Session, actor: Actor) -> int:
    """Return how many dead letters the open issues hold."""
    query = select(func.coalesce(func.sum(col(Issue.count)), 0)).where(col(Issue.state) == "open")
    if not actor.sees_all:
        query = query.where(col(Issue.user_id) == actor.id)
    return int(session.exec(query).one())
