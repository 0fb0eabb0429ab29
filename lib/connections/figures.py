"""How the events of connections fare onwards: success and speed of 24 hours, from rollups.

Deliveries are counted by destination. A connection's figures are those of the destinations
that its routes lead to; one that several connections share counts for each of them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from lib.access import Actor
from lib.histogram import percentile
from lib.models import DeliveryTotal, Issue, LatencyTotal, Route
from lib.outgoing.outcomes import ARRIVED, success_share
from lib.processing.totals import DAY, Bar, scope_of, sum_up

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
    query = select(
        col(DeliveryTotal.since),
        col(DeliveryTotal.outcome),
        col(DeliveryTotal.attempt),
        col(DeliveryTotal.count),
    ).where(
        col(DeliveryTotal.scope) == scope_of(actor),
        col(DeliveryTotal.span) == "hour",
        col(DeliveryTotal.since) >= start,
    )
    hourly = [0] * hours
    first, good = 0, 0
    for hour, outcome, attempt, count in session.exec(query):
        index = int((hour - start).total_seconds() // 3600)
        is_success = outcome in ARRIVED
        if is_success and index < hours:
            hourly[index] += count
        if attempt == 1:
            first += count
            good += count if is_success else 0
    return Delivered(tuple(hourly), first, good)


def figures_by_integration(
    session: Session, actor: Actor, *, start: datetime, only: str | None = None
) -> dict[str, Onwards]:
    """Return the figures of the connections with active routes, or of one of them, by id."""
    routed = (
        sql_select(col(Route.integration_id), col(Route.destination_id))
        .where(col(Route.deleted_at).is_(None), col(Route.is_active))
        .distinct()
    )
    if not actor.sees_all:
        routed = routed.where(col(Route.user_id) == actor.id)
    if only is not None:
        routed = routed.where(col(Route.integration_id) == only)
    pairs = session.execute(routed).all()
    ended, took = count_attempts(session, {target for _, target in pairs}, start)
    outcomes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    buckets: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for integration_id, target in pairs:
        if target in ended:
            outcomes[integration_id] += ended[target]
            buckets[integration_id] += took[target]
    return {
        integration_id: Onwards(
            success_share(outcomes[integration_id]), percentile(buckets[integration_id], _SHARE)
        )
        for integration_id in outcomes
    }


def count_attempts(
    session: Session, destination_ids: Iterable[str], start: datetime
) -> tuple[Mapping[str, Counter[str]], Mapping[str, Counter[int]]]:
    """Return how many attempts of 24 hours ended how, and in which bucket, by destination."""
    day, ids = [Bar(0, start, start + DAY)], sorted(destination_ids)
    outcomes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    buckets: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for table, column, found in (
        (DeliveryTotal, col(DeliveryTotal.outcome), outcomes),
        (LatencyTotal, col(LatencyTotal.bucket), buckets),
    ):
        scopes = [col(table.scope).in_(ids)]
        for _, target, value, count in sum_up(
            session, table, scopes, [col(table.scope), column], day
        ):
            found[target][value] += count
    return outcomes, buckets


def count_dead(session: Session, actor: Actor) -> int:
    """Return how many dead letters the open issues hold."""
    query = select(func.coalesce(func.sum(col(Issue.count)), 0)).where(col(Issue.state) == "open")
    if not actor.sees_all:
        query = query.where(col(Issue.user_id) == actor.id)
    return int(session.exec(query).one())
