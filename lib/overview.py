"""The figures of the first screen, read from the hourly totals and never from raw events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import func
from sqlmodel import Session, col, select

from lib import overview_queries
from lib.access import Actor
from lib.alerts.reading import silent_integrations
from lib.clock import hour_of, now
from lib.connections import integrations
from lib.connections.figures import (
    Delivered,
    Onwards,
    count_dead,
    count_delivered,
    figures_by_integration,
)
from lib.connections.integrations import Integration
from lib.credentials.ages import Reminder, find_reminders
from lib.hub import Hub
from lib.models import EventTotal, WorkerHeartbeat
from lib.overview_queries import HOURS
from lib.processing.totals import scope_of
from lib.vendors.budgets import Gauge, read_gauges

WORKER_STALE = timedelta(seconds=30)
# From this part on a connection is degraded: of deliveries that died, of requests refused.
_TOO_MANY = 0.05
_NOT_MEASURED = Onwards()

State = Literal["healthy", "degraded", "failing", "paused", "silent", "needs_setup"]


@dataclass(frozen=True)
class Tiles:
    """The figures on top: the last 24 hours by hour, and what waits now.

    `failed` events and `dead` letters of open issues are what nobody has dealt with yet.
    """

    hourly_received: Sequence[int]
    delivered: Delivered
    rejected: int
    failed: int
    dead: int
    queue: "Queue"

    @property
    def received(self) -> int:
        """How many events came in."""
        return sum(self.hourly_received)


@dataclass(frozen=True)
class Queue:
    """What waits for the worker now: events to be routed, and deliveries that are due.

    `deliveries` stops at `MOST_COUNTED`. The oldest has waited so many seconds, None when
    nothing waits.
    """

    events: int
    deliveries: int
    oldest_seconds: float | None


@dataclass(frozen=True)
class Card:
    """One connection: its counts of the last 24 hours, oldest first, and its last event.

    `gauge` is what its vendor's limits leave, where they are known; `onwards` how the
    destinations of its routes fare.
    """

    integration: Integration
    hourly_received: Sequence[int]
    received: int
    rejected: int
    failed: int
    last_event_at: datetime | None
    state: State
    gauge: Gauge | None = None
    onwards: Onwards = _NOT_MEASURED


@dataclass(frozen=True)
class Need:
    """What waits for a person: a failed check, failed or refused requests, an old secret."""

    kind: Literal["check", "failed", "rejected", "credential"]
    card: Card
    count: int
    reminder: Reminder | None = None


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


def first_screen(hub: Hub, actor: Actor) -> tuple[Tiles, list[Card]]:
    """Return the figures of the last 24 hours and the connections that `actor` may see."""
    shown = integrations.list_all(hub, actor)
    with hub.database.read() as session:
        counts = _count(session, actor)
        return _tiles(session, actor, counts), _cards(session, actor, shown, counts=counts)


def card(hub: Hub, actor: Actor, integration_id: str) -> Card:
    """Return the card of one connection that `actor` may see; raise NotFound otherwise."""
    return cards_of(hub, actor, [integrations.get(hub, actor, integration_id)])[0]


def cards_of(hub: Hub, actor: Actor, shown: Sequence[Integration]) -> list[Card]:
    """Return the cards of some connections; of one alone no other's figures are read."""
    if not shown:
        return []
    only = shown[0].id if len(shown) == 1 else None
    with hub.database.read() as session:
        counts = _count(session, actor, only=only)
        return _cards(session, actor, shown, counts=counts, only=only)


def queue(hub: Hub, actor: Actor) -> Queue:
    """Return what waits for the worker of what `actor` may see, and for how long."""
    with hub.database.read() as session:
        return _queue(session, actor)


def needs(shown: Sequence[Card]) -> list[Need]:
    """Return what a person should look at, the worst first: nothing of paused connections."""
    active = [card for card in shown if card.integration.is_active]
    found = [Need("check", card, 1) for card in active if card.integration.status == "failed"]
    by_failed = sorted(active, key=lambda card: -card.failed)
    found += [Need("failed", card, card.failed) for card in by_failed if card.failed]
    by_rejected = sorted(active, key=lambda card: -card.rejected)
    found += [Need("rejected", card, card.rejected) for card in by_rejected if card.rejected]
    for card in active:
        found += [Need("credential", card, 1, each) for each in find_reminders(card.integration)]
    return found


def volume(hub: Hub, actor: Actor, *, hours: int) -> list[VolumePoint]:
    """Return the counts of the last `hours` hours by hour, service and outcome."""
    columns = (col(EventTotal.since), col(EventTotal.service_name), col(EventTotal.outcome))
    query = (
        select(*columns, col(EventTotal.count))
        .where(col(EventTotal.scope) == scope_of(actor), col(EventTotal.span) == "hour")
        .where(col(EventTotal.since) > now() - timedelta(hours=hours))
        .order_by(*columns)
    )
    with hub.database.read() as session:
        return [VolumePoint(hour, name, kind, n) for hour, name, kind, n in session.exec(query)]


def worker_state(hub: Hub) -> WorkerState:
    """Return whether a worker gave a sign of life in the last 30 seconds."""
    with hub.database.read() as session:
        beat_at = session.exec(select(func.max(col(WorkerHeartbeat.beat_at)))).one()
    return WorkerState(beat_at is not None and now() - beat_at < WORKER_STALE, beat_at)


@dataclass(frozen=True)
class _Counts:
    """What the tiles sum up and the cards show by connection."""

    received: Mapping[str, Sequence[int]]
    rejected: Mapping[str, int]
    failed: Mapping[str, int]


def _count(session: Session, actor: Actor, *, only: str | None = None) -> _Counts:
    received, rejected = overview_queries.count_hours(session, actor, _first_hour(), only=only)
    waiting = overview_queries.failed_by_integration(actor, only=only)
    failed: dict[str, int] = dict(session.exec(waiting).all())
    return _Counts(received, rejected, failed)


def _tiles(session: Session, actor: Actor, counts: _Counts) -> Tiles:
    delivered = count_delivered(session, actor, start=_first_hour(), hours=HOURS)
    by_hour = zip(*counts.received.values(), strict=True)
    return Tiles(
        hourly_received=[sum(hour) for hour in by_hour] or [0] * HOURS,
        delivered=delivered,
        rejected=sum(counts.rejected.values()),
        failed=sum(counts.failed.values()),
        dead=count_dead(session, actor),
        queue=_queue(session, actor),
    )


def _queue(session: Session, actor: Actor) -> Queue:
    moment = now()
    events, since = session.exec(overview_queries.pending(actor)).one()
    first = session.exec(overview_queries.first_due(actor)).all()
    due: dict[str, datetime] = {place: at for place, at in first if at and at <= moment}
    deliveries = 0
    if due:
        deliveries = session.execute(overview_queries.count_due([*due], moment)).scalar_one()
    oldest = min(filter(None, [since, *due.values()]), default=None)
    return Queue(events, deliveries, (moment - oldest).total_seconds() if oldest else None)


def _cards(
    session: Session,
    actor: Actor,
    shown: Sequence[Integration],
    *,
    counts: _Counts,
    only: str | None = None,
) -> list[Card]:
    latest = overview_queries.last_events(actor, only=only)
    last: dict[str, datetime] = dict(session.exec(latest).all())
    gauges = read_gauges(session, [item.id for item in shown])
    onwards = figures_by_integration(session, actor, start=_first_hour(), only=only)
    silent = silent_integrations(session, [item.id for item in shown])
    found = [
        Card(
            integration=item,
            hourly_received=counts.received.get(item.id, [0] * HOURS),
            received=sum(counts.received.get(item.id, ())),
            rejected=counts.rejected.get(item.id, 0),
            failed=int(counts.failed.get(item.id, 0)),
            last_event_at=last.get(item.id),
            state="healthy",
            gauge=gauges.get(item.id),
            onwards=onwards.get(item.id, _NOT_MEASURED),
        )
        for item in shown
    ]
    return [
        replace(card, state=_state(card, is_silent=card.integration.id in silent)) for card in found
    ]


def _state(card: Card, *, is_silent: bool) -> State:
    if not card.integration.is_active:
        return "paused"
    if card.integration.status == "failed" or card.failed:
        return "failing"
    if card.last_event_at is None:
        return "needs_setup"
    if is_silent:
        return "silent"
    share = card.onwards.success_share
    loses = share is not None and share < 1 - _TOO_MANY
    refuses = card.rejected > _TOO_MANY * (card.received + card.rejected)
    return "degraded" if loses or refuses else "healthy"


def _first_hour() -> datetime:
    return hour_of(now()) - timedelta(hours=HOURS - 1)
