"""The figures of the first screen, read from the hourly rollups and never from raw events."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import func, literal_column
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import Select

from lib import integrations
from lib.access import Actor
from lib.budgets import Gauge, read_gauges
from lib.clock import now
from lib.hub import Hub
from lib.integrations import Integration
from lib.models import HourlyRollup, IntegrationConfig, WebhookEvent, WorkerHeartbeat

Rows = Select[*tuple[Any, ...]]
HOURS = 24
WORKER_STALE = timedelta(seconds=30)
SILENT_AFTER = timedelta(days=2)
State = Literal["healthy", "needs_setup", "failing", "paused", "silent"]


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
    """One connection: its counts of the last 24 hours, oldest first, and its last event.

    `gauge` is what its vendor's limits leave, where they are known.
    """

    integration: Integration
    hourly_received: Sequence[int]
    received: int
    rejected: int
    failed: int
    last_event_at: datetime | None
    state: State
    gauge: Gauge | None = None


@dataclass(frozen=True)
class Need:
    """Something that waits for a person: a failed check, or failed or refused requests."""

    kind: Literal["check", "failed", "rejected"]
    card: Card
    count: int


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
        counts: dict[str, int] = dict(
            session.exec(
                _seen(
                    select(col(HourlyRollup.outcome), func.sum(col(HourlyRollup.count))),
                    actor,
                )
                .where(col(HourlyRollup.hour) > moment - timedelta(hours=HOURS))
                .group_by(col(HourlyRollup.outcome))
            ).all()
        )
        pending, oldest = session.exec(_pending(actor)).one()
        failed = sum(count for _, count in session.exec(_failed_by_integration(actor)))
    return Tiles(
        received=int(counts.get("received", 0)),
        rejected=int(counts.get("rejected", 0)),
        failed=failed,
        pending=pending,
        oldest_pending_seconds=(moment - oldest).total_seconds() if oldest else None,
    )


def cards(hub: Hub, actor: Actor) -> list[Card]:
    """Return one card per connection that `actor` may see."""
    shown = integrations.list_all(hub, actor)
    with hub.database.read() as session:
        received, rejected = _count_hours(session, actor)
        failed: dict[str, int] = dict(session.exec(_failed_by_integration(actor)).all())
        last = _last_events(session, actor)
        gauges = read_gauges(session, [item.id for item in shown])
    return [
        Card(
            integration=item,
            hourly_received=received[item.id],
            received=sum(received[item.id]),
            rejected=rejected[item.id],
            failed=int(failed.get(item.id, 0)),
            last_event_at=last.get(item.id),
            state=_state(item, int(failed.get(item.id, 0)), last.get(item.id)),
            gauge=gauges.get(item.id),
        )
        for item in shown
    ]


def needs(shown: Sequence[Card]) -> list[Need]:
    """Return what a person should look at, the worst first: nothing of paused connections."""
    active = [card for card in shown if card.integration.is_active]
    found = [Need("check", card, 1) for card in active if card.integration.status == "failed"]
    found += [Need("failed", card, card.failed) for card in active if card.failed]
    found += [Need("rejected", card, card.rejected) for card in active if card.rejected]
    return found


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
            VolumePoint(hour, name, kind, int(n)) for hour, name, kind, n in session.exec(query)
        ]


def worker_state(hub: Hub) -> WorkerState:
    """Return whether a worker gave a sign of life in the last 30 seconds."""
    with hub.database.read() as session:
        beat_at = session.exec(select(func.max(col(WorkerHeartbeat.beat_at)))).one()
    return WorkerState(beat_at is not None and now() - beat_at < WORKER_STALE, beat_at)


def _state(item: Integration, failed: int, last_event_at: datetime | None) -> State:
    if not item.is_active:
        return "paused"
    if item.status == "failed" or failed:
        return "failing"
    if last_event_at is None:
        return "needs_setup"
    return "silent" if now() - last_event_at > SILENT_AFTER else "healthy"


def _count_hours(
    session: Session, actor: Actor
) -> tuple[defaultdict[str, list[int]], defaultdict[str, int]]:
    """Return by connection: what was received in each of the last 24 hours, and rejected."""
    start = now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    columns = (
        col(HourlyRollup.integration_id),
        col(HourlyRollup.hour),
        col(HourlyRollup.outcome),
    )
    query = (
        _seen(select(*columns, func.sum(col(HourlyRollup.count))), actor)
        .where(col(HourlyRollup.hour) >= start)
        .group_by(*columns)
    )
    received: defaultdict[str, list[int]] = defaultdict(lambda: [0] * HOURS)
    rejected: defaultdict[str, int] = defaultdict(int)
    for integration_id, hour, outcome, count in session.exec(query):
        index = int((hour - start).total_seconds() // 3600)
        if outcome == "received" and index < HOURS:
            received[integration_id][index] += int(count)
        elif outcome == "rejected":
            rejected[integration_id] += int(count)
    return received, rejected


def _failed_by_integration(actor: Actor) -> Rows:
    # As the index of these has it: a literal, for a parameter uses no index on one status.
    query = (
        select(col(WebhookEvent.integration_id), func.count())
        .where(col(WebhookEvent.status) == literal_column("'failed'"))
        .where(col(WebhookEvent.resolved_at).is_(None))
        # In the order of that index; SQLite would else read all of one that begins with these.
        .group_by(col(WebhookEvent.user_id), col(WebhookEvent.integration_id))
    )
    return query if actor.sees_all else query.where(col(WebhookEvent.user_id) == actor.id)


def _seen(query: Rows, actor: Actor) -> Rows:
    return query if actor.sees_all else query.where(col(HourlyRollup.user_id) == actor.id)


def _pending(actor: Actor) -> Rows:
    query = select(func.count(), func.min(col(WebhookEvent.created_at))).where(
        col(WebhookEvent.status) == literal_column("'pending'")
    )
    return query if actor.sees_all else query.where(col(WebhookEvent.user_id) == actor.id)


def _last_events(session: Session, actor: Actor) -> dict[str, datetime]:
    """Return by connection when its last event was stored, each by one look into an index."""
    newest = (
        select(func.max(col(WebhookEvent.id)))
        .where(col(WebhookEvent.integration_id) == col(IntegrationConfig.id))
        .correlate(IntegrationConfig)
        .scalar_subquery()
    )
    query = select(col(WebhookEvent.integration_id), col(WebhookEvent.created_at)).join(
        IntegrationConfig, col(WebhookEvent.id) == newest
    )
    if not actor.sees_all:
        query = query.where(col(IntegrationConfig.user_id) == actor.id)
    return dict(session.exec(query).all())
