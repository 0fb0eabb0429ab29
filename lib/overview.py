"""The figures of the first screen, read from the hourly rollups and never from raw events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import Select, SelectOfScalar

from lib import integrations
from lib.access import Actor
from lib.clock import now
from lib.hub import Hub
from lib.integrations import Integration
from lib.models import HourlyRollup, WebhookEvent, WorkerHeartbeat

HOURS = 24
WORKER_STALE = timedelta(seconds=30)


@dataclass(frozen=True)
class Tiles:
    """The four figures on top: the last 24 hours, and what waits now."""

    received: int
    rejected: int
    failed: int
    pending: int
    oldest_pending_seconds: float | None


@dataclass(frozen=True)
class Card:
    """One connection: its counts of the last 24 hours, oldest first, and its last event."""

    integration: Integration
    hourly_received: Sequence[int]
    received: int
    rejected: int
    last_event_at: datetime | None


@dataclass(frozen=True)
class VolumePoint:
    """How much of one service and outcome happened in one hour."""

    hour: datetime
    service_name: str
    outcome: str
    count: int


@dataclass(frozen=True)
class WorkerState:
    """Whether a worker is at work: when the last one gave a sign of life."""

    is_alive: bool
    beat_at: datetime | None


def tiles(hub: Hub, actor: Actor) -> Tiles:
    """Return the figures of the last 24 hours that `actor` may see."""
    moment = now()
    with hub.database.read() as session:
        counts = dict(
            session.exec(
                _seen(
                    select(
                        col(HourlyRollup.outcome), func.sum(col(HourlyRollup.count))
                    ),
                    actor,
                )
                .where(col(HourlyRollup.hour) > moment - timedelta(hours=HOURS))
                .group_by(col(HourlyRollup.outcome))
            ).all()
        )
        pending, oldest = session.exec(_waiting(actor, "pending")).one()
        failed, _ = session.exec(_waiting(actor, "failed")).one()
    return Tiles(
        received=int(counts.get("received", 0)),
        rejected=int(counts.get("rejected", 0)),
        failed=failed,
        pending=pending,
        oldest_pending_seconds=(moment - oldest).total_seconds() if oldest else None,
    )


def cards(hub: Hub, actor: Actor) -> list[Card]:
    """Return one card per connection that `actor` may see."""
    start = now().replace(minute=0, second=0, microsecond=0) - timedelta(
        hours=HOURS - 1
    )
    with hub.database.read() as session:
        counted = session.exec(
            _seen(
                select(
                    col(HourlyRollup.integration_id),
                    col(HourlyRollup.hour),
                    col(HourlyRollup.outcome),
                    func.sum(col(HourlyRollup.count)),
                ),
                actor,
            )
            .where(col(HourlyRollup.hour) >= start)
            .group_by(
                col(HourlyRollup.integration_id),
                col(HourlyRollup.hour),
                col(HourlyRollup.outcome),
            )
        ).all()
        shown = integrations.list_all(hub, actor)
        last = {item.id: _last_event_at(session, item.id) for item in shown}
    hourly: dict[str, list[int]] = {item.id: [0] * HOURS for item in shown}
    rejected: dict[str, int] = dict.fromkeys(hourly, 0)
    for integration_id, hour, outcome, count in counted:
        if integration_id not in hourly:
            continue
        if outcome == "received":
            hourly[integration_id][int((hour - start).total_seconds() // 3600)] += int(
                count
            )
        else:
            rejected[integration_id] += int(count)
    return [
        Card(
            item,
            hourly[item.id],
            sum(hourly[item.id]),
            rejected[item.id],
            last[item.id],
        )
        for item in shown
    ]


def volume(hub: Hub, actor: Actor, *, hours: int) -> list[VolumePoint]:
    """Return the counts of the last `hours` hours by hour, service and outcome."""
    columns = (
        col(HourlyRollup.hour),
        col(HourlyRollup.service_name),
        col(HourlyRollup.outcome),
    )
    query = (
        _seen(select(*columns, func.sum(col(HourlyRollup.count))), actor)
        .where(col(HourlyRollup.hour) > now() - timedelta(hours=hours))
        .group_by(*columns)
        .order_by(*columns)
    )
    with hub.database.read() as session:
        return [
            VolumePoint(hour, name, kind, int(n))
            for hour, name, kind, n in session.exec(query)
        ]


def worker_state(hub: Hub) -> WorkerState:
    """Return whether a worker gave a sign of life in the last 30 seconds."""
    with hub.database.read() as session:
        beat_at = session.exec(select(func.max(col(WorkerHeartbeat.beat_at)))).one()
    return WorkerState(beat_at is not None and now() - beat_at < WORKER_STALE, beat_at)


def _seen(query: Select[Any], actor: Actor) -> Select[Any]:
    return (
        query if actor.sees_all else query.where(col(HourlyRollup.user_id) == actor.id)
    )


def _waiting(actor: Actor, status: str) -> Select[Any]:
    query = select(func.count(), func.min(col(WebhookEvent.created_at))).where(
        col(WebhookEvent.status) == status
    )
    return (
        query if actor.sees_all else query.where(col(WebhookEvent.user_id) == actor.id)
    )


def _last_event_at(session: Session, integration_id: str) -> datetime | None:
    query: SelectOfScalar[datetime] = (
        select(col(WebhookEvent.created_at))
        .where(col(WebhookEvent.integration_id) == integration_id)
        .order_by(col(WebhookEvent.id).desc())
        .limit(1)
    )
    return session.exec(query).first()
