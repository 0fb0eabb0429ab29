"""How deliveries fare: attempts needed, destinations that fail, causes of failure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from sqlalchemy import case, func, select
from sqlmodel import col

from lib.access import Actor
from lib.analytics.periods import Period
from lib.analytics.scopes import Filters, of_destinations, within
from lib.hub import Hub
from lib.models import DeliveryRollup, Destination, FailureRollup
from lib.outgoing.outcomes import ARRIVED

FAILURES = ("retrying", "dead")
MOST_CAUSES = 12
MOST_DESTINATIONS = 10


@dataclass(frozen=True)
class Cause:
    """One cause of failed attempts; `cumulative_share` is of it and all before it.

    `response_status` is None where there was no answer.
    """

    error_class: str
    response_status: int | None
    count: int
    share: float
    cumulative_share: float


@dataclass(frozen=True)
class AttemptsNeeded:
    """How many deliveries arrived with their `attempt`-th attempt; 10 stands for later ones."""

    attempt: int
    count: int
    share: float


@dataclass(frozen=True)
class FailingDestination:
    """How many of a destination's attempts failed."""

    destination_id: str
    name: str
    failures: int
    attempts: int
    dead: int

    @property
    def share(self) -> float:
        """The share of attempts that failed."""
        return self.failures / self.attempts


def causes(hub: Hub, actor: Actor, period: Period, filters: Filters) -> list[Cause]:
    """Return the commonest causes of failed attempts; shares are of all of them."""
    columns = (col(FailureRollup.error_class), col(FailureRollup.response_status))
    count = func.sum(col(FailureRollup.count))
    query = (
        select(*columns, count, func.sum(count).over())
        .where(*within(FailureRollup, actor, period, filters))
        .where(*of_destinations(FailureRollup, filters))
        .group_by(*columns)
        .order_by(count.desc(), *columns)
        .limit(MOST_CAUSES)
    )
    with hub.database.read() as session:
        found = session.execute(query).all()
    running = accumulate(int(count) for _, _, count, _ in found)
    return [
        Cause(name, status or None, int(count), int(count) / int(total), so_far / int(total))
        for (name, status, count, total), so_far in zip(found, running, strict=True)
    ]


def attempts_needed(
    hub: Hub, actor: Actor, period: Period, filters: Filters
) -> list[AttemptsNeeded]:
    """Return with which attempt deliveries arrived, from the first to the last that did."""
    query = (
        select(col(DeliveryRollup.attempt), func.sum(col(DeliveryRollup.count)))
        .where(*_attempts(actor, period, filters), col(DeliveryRollup.outcome).in_(ARRIVED))
        .group_by(col(DeliveryRollup.attempt))
    )
    with hub.database.read() as session:
        counts = {attempt: int(count) for attempt, count in session.execute(query)}
    total = sum(counts.values())
    return [
        AttemptsNeeded(attempt, counts.get(attempt, 0), counts.get(attempt, 0) / total)
        for attempt in range(1, max(counts, default=0) + 1)
    ]


def failing_destinations(
    hub: Hub, actor: Actor, period: Period, filters: Filters
) -> list[FailingDestination]:
    """Return the destinations with the most failed attempts, the worst first."""
    counts = col(DeliveryRollup.count)
    failures = _sum_where(col(DeliveryRollup.outcome).in_(FAILURES), counts)
    dead = _sum_where(col(DeliveryRollup.outcome) == "dead", counts)
    query = (
        select(col(Destination.id), col(Destination.name), failures, func.sum(counts), dead)
        .join(Destination, col(Destination.id) == col(DeliveryRollup.destination_id))
        .where(*_attempts(actor, period, filters))
        .group_by(col(Destination.id), col(Destination.name))
        .having(failures > 0)
        .order_by(failures.desc(), col(Destination.id))
        .limit(MOST_DESTINATIONS)
    )
    with hub.database.read() as session:
        return [
            FailingDestination(row_id, name, int(failed), int(total), int(lost))
            for row_id, name, failed, total, lost in session.execute(query)
        ]


def _attempts(actor: Actor, period: Period, filters: Filters) -> Sequence[Any]:
    return (
        *within(DeliveryRollup, actor, period, filters),
        *of_destinations(DeliveryRollup, filters),
    )


def _sum_where(condition: Any, counts: Any) -> Any:
    return func.sum(case((condition, counts), else_=0))
