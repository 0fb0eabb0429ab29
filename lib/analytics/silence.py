"""Integrations that have gone quiet for longer than they used to."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select
from sqlmodel import Session, col

from lib.access import Actor
from lib.analytics.bins import epoch_seconds
from lib.analytics.periods import Period, find_zone
from lib.analytics.scopes import Filters, is_sqlite, of_integrations, within
from lib.clock import now
from lib.hub import Hub
from lib.models import HourlyRollup, IntegrationConfig

LOOKED_BACK = timedelta(days=35)
MOST_SHOWN = 50
_FEWEST_HOURS = 5
_HOUR = timedelta(hours=1)


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
        each = _pauses(session, actor, filters).subquery()
        columns = (
            col(IntegrationConfig.id),
            col(IntegrationConfig.name),
            col(IntegrationConfig.service_name),
        )
        query = (
            select(*columns, func.max(each.c.hour), func.max(each.c.pause))
            .join(each, each.c.integration_id == col(IntegrationConfig.id))
            .where(col(IntegrationConfig.is_active), col(IntegrationConfig.deleted_at).is_(None))
            .group_by(*columns)
            .having(func.count() >= _FEWEST_HOURS)
        )
        found = [
            Silence(
                row_id, name, service, last, timedelta(seconds=int(pause)), moment - last - _HOUR
            )
            for row_id, name, service, last, pause in session.execute(query)
        ]
    silent = [item for item in found if item.quiet_for > item.longest_pause]
    return sorted(silent, key=lambda item: -item.quiet_for)[:MOST_SHOWN]


def _pauses(session: Session, actor: Actor, filters: Filters) -> Select[Any]:
    """Return each hour in which an integration had events, and the seconds since the one before."""
    period = Period(now() - LOOKED_BACK, now() + _HOUR, find_zone(None))
    hours = (
        select(col(HourlyRollup.integration_id), col(HourlyRollup.hour))
        .where(*within(HourlyRollup, actor, period, filters))
        .where(*of_integrations(HourlyRollup, filters))
        .where(col(HourlyRollup.outcome) == "received")
        .distinct()
        .subquery()
    )
    seconds = epoch_seconds(hours.c.hour, is_sqlite=is_sqlite(session))
    before = func.lag(seconds).over(partition_by=hours.c.integration_id, order_by=hours.c.hour)
    return select(hours.c.integration_id, hours.c.hour, (seconds - before).label("pause"))
