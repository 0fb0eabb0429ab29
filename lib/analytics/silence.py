"""Integrations that have gone quiet for longer than they used to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlmodel import Session, col

from lib.access import Actor
from lib.analytics.bins import epoch_seconds
from lib.analytics.scopes import Filters, integrations, is_sqlite
from lib.clock import now
from lib.hub import Hub
from lib.models import EventTotal, IntegrationConfig

LOOKED_BACK = timedelta(days=35)
MOST_SHOWN = 50
_FEWEST_HOURS = 5
_HOUR = timedelta(hours=1)
_RECEIVED = (col(EventTotal.span) == "hour", col(EventTotal.outcome) == "received")


@dataclass(frozen=True)
class Silence:
    """An active integration that is quiet: since when, and its longest pause before."""

    integration_id: str
    name: str
    service_name: str
    last_hour: datetime
    longest_pause: timedelta
    quiet_for: timedelta


def silent_integrations(hub: Hub, actor: Actor, filters: Filters) -> list[Silence]:
    """Return what has been quiet for longer than ever in the last 35 days, the longest first.

    An integration that had events in fewer than five hours has no habit to depart from. Times
    are exact to the hour.
    """
    moment = now()
    with hub.database.read() as session:
        # What had an event in this hour or the last is not silent: the shortest pause is an hour.
        quiet = [
            row
            for row in session.execute(_active(actor, filters))
            if row.last_hour is not None and moment - row.last_hour > 2 * _HOUR
        ]
        longest = _longest_pauses(session, [row.id for row in quiet])
        pauses = {
            row_id: timedelta(seconds=int(pause)) for row_id, pause in session.execute(longest)
        }
    found = [
        Silence(
            row.id, row.name, row.service_name, row.last_hour, pauses[row.id],
            moment - row.last_hour - _HOUR,
        )
        for row in quiet if row.id in pauses
    ]  # fmt: skip
    silent = [item for item in found if item.quiet_for > item.longest_pause]
    return sorted(silent, key=lambda item: -item.quiet_for)[:MOST_SHOWN]


def last_hours(period: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """Return integrations, each with its `last_hour` with events among the hours of `period`."""
    last = (
        select(func.max(col(EventTotal.since)))
        .where(col(EventTotal.scope) == col(IntegrationConfig.id), *_RECEIVED, *period)
        .correlate(IntegrationConfig)
        .scalar_subquery()
    )
    columns: tuple[Any, ...] = (
        col(IntegrationConfig.id),
        col(IntegrationConfig.name),
        col(IntegrationConfig.service_name),
        last.label("last_hour"),
    )
    return select(*columns)


def _active(actor: Actor, filters: Filters) -> Select[Any]:
    return (
        last_hours([_looked_at()])
        .where(*integrations(actor, filters))
        .where(col(IntegrationConfig.is_active), col(IntegrationConfig.deleted_at).is_(None))
    )


def _longest_pauses(session: Session, ids: Sequence[str]) -> Select[Any]:
    """Return by integration the most seconds between hours with events, where there are enough."""
    seconds = epoch_seconds(col(EventTotal.since), is_sqlite=is_sqlite(session))
    place, since = col(EventTotal.scope), col(EventTotal.since)
    before = func.lag(seconds).over(partition_by=place, order_by=since)
    each = select(place, (seconds - before).label("pause")).where(
        place.in_(ids), *_RECEIVED, _looked_at()
    )
    pauses = each.subquery()
    return (
        select(pauses.c.scope, func.max(pauses.c.pause))
        .group_by(pauses.c.scope)
        .having(func.count() >= _FEWEST_HOURS)
    )


def _looked_at() -> ColumnElement[bool]:
    return col(EventTotal.since) >= now() - LOOKED_BACK
