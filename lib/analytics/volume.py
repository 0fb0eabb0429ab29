"""How much came in and what became of it, over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, literal, select, union_all
from sqlmodel import Session, col

from lib.access import Actor
from lib.analytics.bins import bin_number, bin_start, hour_of_week, weekday_and_hour
from lib.analytics.periods import Period
from lib.analytics.scopes import Filters, is_sqlite, of_destinations, of_integrations, within
from lib.hub import Hub
from lib.models import DeliveryRollup, HourlyRollup

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
    with hub.database.read() as session:
        number = _bin(session, HourlyRollup, period)
        service = col(HourlyRollup.service_name)
        query = (
            select(number, service, func.sum(col(HourlyRollup.count)))
            .where(*_received(actor, period, filters))
            .group_by("bin", service)
            .order_by("bin", service)
        )
        found = session.execute(query).all()
    return [
        VolumePoint(bin_start(number, period), bin_start(number + 1, period), name, int(count))
        for number, name, count in found
    ]


def outcomes(hub: Hub, actor: Actor, period: Period, filters: Filters) -> list[OutcomePoint]:
    """Return how attempts ended and what was rejected by bar, without empty ones."""
    with hub.database.read() as session:
        both = union_all(
            _attempts(session, actor, period, filters), _rejections(session, actor, period, filters)
        ).subquery()
        found = session.execute(select(both).order_by(both.c.bin, both.c.outcome)).all()
    return [
        OutcomePoint(bin_start(number, period), bin_start(number + 1, period), name, int(count))
        for number, name, count in found
    ]


def heat_map(hub: Hub, actor: Actor, period: Period, filters: Filters) -> list[HeatCell]:
    """Return the received events by weekday and hour in the period's zone: 168 cells, or none."""
    with hub.database.read() as session:
        place = hour_of_week(col(HourlyRollup.hour), period, is_sqlite=is_sqlite(session))
        query = (
            select(place.label("place"), func.sum(col(HourlyRollup.count)))
            .where(*_received(actor, period, filters))
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


def _received(actor: Actor, period: Period, filters: Filters) -> Sequence[Any]:
    return (
        *within(HourlyRollup, actor, period, filters),
        *of_integrations(HourlyRollup, filters),
        col(HourlyRollup.outcome) == "received",
    )


def _bin(session: Session, table: Any, period: Period) -> Any:
    return bin_number(col(table.hour), period, is_sqlite=is_sqlite(session)).label("bin")


def _attempts(session: Session, actor: Actor, period: Period, filters: Filters) -> Select[Any]:
    outcome: Any = col(DeliveryRollup.outcome).label("outcome")
    total = func.sum(col(DeliveryRollup.count)).label("count")
    return (
        select(_bin(session, DeliveryRollup, period), outcome, total)
        .where(*within(DeliveryRollup, actor, period, filters))
        .where(*of_destinations(DeliveryRollup, filters))
        .group_by("bin", "outcome")
    )


def _rejections(session: Session, actor: Actor, period: Period, filters: Filters) -> Select[Any]:
    total = func.sum(col(HourlyRollup.count)).label("count")
    return (
        select(_bin(session, HourlyRollup, period), literal("rejected").label("outcome"), total)
        .where(*within(HourlyRollup, actor, period, filters))
        .where(*of_integrations(HourlyRollup, filters))
        .where(col(HourlyRollup.outcome) == "rejected")
        .group_by("bin")
    )
