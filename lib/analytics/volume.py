"""How much came in and what became of it, over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import col

from lib.access import Actor
from lib.analytics.bins import bars, bin_start, hour_of_week, weekday_and_hour
from lib.analytics.periods import Period
from lib.analytics.scopes import Filters, is_sqlite, of_destinations, of_integrations
from lib.hub import Hub
from lib.models import DeliveryTotal, EventTotal
from lib.processing.totals import sum_up

# What attempts come to, and what was refused at the door.
OUTCOMES = ("delivered", "accepted", "retrying", "dead", "rejected")


@dataclass(frozen=True)
class VolumePoint:
    """How many events of one service came in from `start` to `end`."""

    start: datetime
    end: datetime
    service_name: str
    count: int


@dataclass(frozen=True)
class OutcomePoint:
    """How many attempts or requests from `start` to `end` had this outcome."""

    start: datetime
    end: datetime
    outcome: str
    count: int


@dataclass(frozen=True)
class HeatCell:
    """How many events came in at this hour of this weekday, 0 for Monday, in the zone."""

    weekday: int
    hour: int
    count: int


def volume(hub: Hub, actor: Actor, period: Period, filters: Filters) -> list[VolumePoint]:
    """Return the received events by bar and service, without empty ones."""
    scopes = _received(actor, filters)
    with hub.database.read() as session:
        found = sum_up(session, EventTotal, scopes, [col(EventTotal.service_name)], bars(period))
    return [
        VolumePoint(bin_start(number, period), bin_start(number + 1, period), name, count)
        for number, name, count in found
    ]


def outcomes(hub: Hub, actor: Actor, period: Period, filters: Filters) -> list[OutcomePoint]:
    """Return how attempts ended and what was rejected by bar, without empty ones."""
    attempts = of_destinations(DeliveryTotal, actor, filters)
    refused = [*of_integrations(EventTotal, actor, filters), col(EventTotal.outcome) == "rejected"]
    with hub.database.read() as session:
        found = sorted(
            sum_up(session, DeliveryTotal, attempts, [col(DeliveryTotal.outcome)], bars(period))
            + sum_up(session, EventTotal, refused, [col(EventTotal.outcome)], bars(period))
        )
    return [
        OutcomePoint(bin_start(number, period), bin_start(number + 1, period), name, count)
        for number, name, count in found
    ]


def heat_map(hub: Hub, actor: Actor, period: Period, filters: Filters) -> list[HeatCell]:
    """Return the received events by weekday and hour in the period's zone: 168 cells, or none."""
    with hub.database.read() as session:
        place = hour_of_week(col(EventTotal.since), period, is_sqlite=is_sqlite(session))
        query = (
            select(place.label("place"), func.sum(col(EventTotal.count)))
            .where(*_received(actor, filters), col(EventTotal.span) == "hour")
            .where(col(EventTotal.since) >= period.since, col(EventTotal.since) < period.until)
            .group_by("place")
        )
        counts = {weekday_and_hour(place): int(count) for place, count in session.execute(query)}
    if not counts:
        return []
    return [
        HeatCell(weekday, hour, counts.get((weekday, hour), 0))
        for weekday in range(7)
        for hour in range(24)
    ]


def _received(actor: Actor, filters: Filters) -> Sequence[Any]:
    return *of_integrations(EventTotal, actor, filters), col(EventTotal.outcome) == "received"
