"""How deliveries fare: attempts needed, destinations that fail, causes of failure."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from sqlalchemy import select
from sqlmodel import Session, col

from lib.access import Actor
from lib.analytics.bins import whole
from lib.analytics.periods import Period
from lib.analytics.scopes import Filters, destinations, of_destinations
from lib.hub import Hub
from lib.id_lists import is_among
from lib.models import DeliveryTotal, Destination, FailureTotal
from lib.outgoing.outcomes import ARRIVED
from lib.processing.totals import sum_up

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
    columns = [col(FailureTotal.error_class), col(FailureTotal.response_status)]
    scopes = of_destinations(FailureTotal, actor, filters)
    with hub.database.read() as session:
        found = sum_up(session, FailureTotal, scopes, columns, whole(period))
    total = sum(row[-1] for row in found)
    # They are in the order of their names, and sorting keeps it among equals.
    commonest = sorted(found, key=lambda row: -row[-1])[:MOST_CAUSES]
    running = accumulate(row[-1] for row in commonest)
    return [
        Cause(name, status or None, count, count / total, so_far / total)
        for (_, name, status, count), so_far in zip(commonest, running, strict=True)
    ]


def attempts_needed(
    hub: Hub, actor: Actor, period: Period, filters: Filters
) -> list[AttemptsNeeded]:
    """Return with which attempt deliveries arrived, from the first to the last that did."""
    scopes = of_destinations(DeliveryTotal, actor, filters)
    arrived = col(DeliveryTotal.outcome).in_(ARRIVED)
    columns = [col(DeliveryTotal.attempt)]
    with hub.database.read() as session:
        found = sum_up(session, DeliveryTotal, [*scopes, arrived], columns, whole(period))
    counts = {attempt: count for _, attempt, count in found}
    total = sum(counts.values())
    return [
        AttemptsNeeded(attempt, counts.get(attempt, 0), counts.get(attempt, 0) / total)
        for attempt in range(1, max(counts, default=0) + 1)
    ]


def failing_destinations(
    hub: Hub, actor: Actor, period: Period, filters: Filters
) -> list[FailingDestination]:
    """Return the destinations with the most failed attempts, the worst first."""
    with hub.database.read() as session:
        counts = ends_by_destination(session, actor, period, filters)
        worst = sorted(
            (place for place in counts if _failures(counts[place])),
            key=lambda place: (-_failures(counts[place]), place),
        )[:MOST_DESTINATIONS]
        name_of = names_of_destinations(session, worst)
    return [
        FailingDestination(
            place,
            name_of[place],
            _failures(counts[place]),
            counts[place].total(),
            counts[place][FAILURES[1]],
        )
        for place in worst
    ]


def names_of_destinations(session: Session, ids: Sequence[str]) -> dict[str, str]:
    """Return the names of destinations by their ids."""
    query = select(col(Destination.id), col(Destination.name))
    found: dict[str, str] = dict(session.execute(query.where(col(Destination.id).in_(ids))).all())
    return found


def ends_by_destination(
    session: Session, actor: Actor, period: Period, filters: Filters
) -> dict[str, Counter[str]]:
    """Return how many attempts ended how, by each destination that had any."""
    own = select(col(Destination.id)).where(*destinations(actor, filters))
    scopes = [is_among(col(DeliveryTotal.scope), own)]
    columns = [col(DeliveryTotal.scope), col(DeliveryTotal.outcome)]
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    found = sum_up(session, DeliveryTotal, scopes, columns, whole(period))
    for _, place, outcome, count in found:
        counts[place][outcome] = count
    return counts


def _failures(counts: Counter[str]) -> int:
    return sum(counts[outcome] for outcome in FAILURES)
