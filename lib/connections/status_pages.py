"""Public status pages: what strangers may know of a connection whose owner shares it.

A page is found by an unguessable key and tells a name, a state and counts. It knows no
contacts, no addresses and no reasons.
"""

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from sqlmodel import Session, col, select

from lib import audit
from lib.access import Actor
from lib.clock import now
from lib.connections.integrations import owned_row
from lib.errors import NotFound
from lib.hub import Hub
from lib.models import EventTotal, IntegrationConfig

DAYS = 30
_KEY_BYTES = 18
_KEY = re.compile("[A-Za-z0-9_-]{24}")
_TOO_MANY = 0.05
_DAY = timedelta(days=1)

State = Literal["operational", "degraded", "paused", "waiting"]


@dataclass(frozen=True)
class Day:
    """The requests of one day (UTC): accepted, and refused as not genuine."""

    day: date
    received: int
    rejected: int

    @property
    def share(self) -> float | None:
        """Which part was accepted; None on a day without requests."""
        total = self.received + self.rejected
        return self.received / total if total else None


@dataclass(frozen=True)
class PublicStatus:
    """What a status page shows; `days` are 30, the oldest first, and `last_day` the last 24 h."""

    name: str
    state: State
    last_day: Day
    days: Sequence[Day]


def status_url(hub: Hub, actor: Actor, integration_id: str) -> str | None:
    """Return the address of a connection's status page; None while it has none."""
    with hub.database.read() as session:
        key = owned_row(session, actor, integration_id).status_key
    return None if key is None else _url(hub, key)


def open_page(hub: Hub, actor: Actor, integration_id: str) -> str:
    """Give a connection a status page and return its address; one that is there stays."""
    with hub.database.write() as session:
        row = owned_row(session, actor, integration_id)
        if row.status_key is None:
            row.status_key = secrets.token_urlsafe(_KEY_BYTES)
            audit.record(session, actor, "integration.status_page_opened", row.id, name=row.name)
        return _url(hub, row.status_key)


def close_page(hub: Hub, actor: Actor, integration_id: str) -> None:
    """End a connection's status page; its address never leads anywhere again."""
    with hub.database.write() as session:
        row = owned_row(session, actor, integration_id)
        if row.status_key is not None:
            row.status_key = None
            audit.record(session, actor, "integration.status_page_closed", row.id, name=row.name)


def public_status(hub: Hub, key: str) -> PublicStatus:
    """Return what anybody may see under `key`; raise NotFound for an unknown one."""
    # PostgreSQL takes no text with a zero byte, and an answer must not tell that from unknown.
    wanted = key if _KEY.fullmatch(key) else ""
    with hub.database.read() as session:
        row = session.exec(
            select(IntegrationConfig)
            .where(col(IntegrationConfig.status_key) == wanted)
            .where(col(IntegrationConfig.deleted_at).is_(None))
        ).first()
        if row is None:
            raise NotFound("There is no such status page. Ask for its address again.")
        hours = _count_hours(session, row.id)
    moment = now()
    days = [_sum_up(hours, on=moment.date() - timedelta(days=age)) for age in range(DAYS)][::-1]
    recent = {hour: counts for hour, counts in hours.items() if hour > moment - _DAY}
    last_day = Day(moment.date(), *_total(recent.values()))
    return PublicStatus(row.name, _state(row, last_day, days), last_day, days)


def _url(hub: Hub, key: str) -> str:
    return f"{hub.settings.public_url}/status/{key}"


def _count_hours(session: Session, integration_id: str) -> dict[datetime, tuple[int, int]]:
    """Return received and rejected by hour."""
    start = now().replace(hour=0, minute=0, second=0, microsecond=0) - _DAY * (DAYS - 1)
    query = select(col(EventTotal.since), col(EventTotal.outcome), col(EventTotal.count)).where(
        col(EventTotal.scope) == integration_id,
        col(EventTotal.span) == "hour",
        col(EventTotal.since) >= start,
    )
    hours: dict[datetime, tuple[int, int]] = {}
    for hour, outcome, count in session.exec(query):
        received, rejected = hours.get(hour, (0, 0))
        if outcome == "received":
            hours[hour] = received + count, rejected
        elif outcome == "rejected":
            hours[hour] = received, rejected + count
    return hours


def _sum_up(hours: Mapping[datetime, tuple[int, int]], *, on: date) -> Day:
    return Day(on, *_total(counts for hour, counts in hours.items() if hour.date() == on))


def _total(counts: Iterable[tuple[int, int]]) -> tuple[int, int]:
    found = list(counts)
    return sum(each[0] for each in found), sum(each[1] for each in found)


def _state(row: IntegrationConfig, last_day: Day, days: Sequence[Day]) -> State:
    """Return the state in public words: a paused connection still receives and stores."""
    if not row.is_active:
        return "paused"
    if not any(day.received for day in days):
        return "waiting"
    share = last_day.share
    loses = share is not None and share < 1 - _TOO_MANY
    return "degraded" if loses or row.status == "failed" else "operational"
