"""What an integration keeps for how long, what that holds now, and what it leads to."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from lib import audit
from lib.access import Actor, require_writer
from lib.clock import now
from lib.connections.integrations import owned_row
from lib.hub import Hub
from lib.lists.paging import LARGEST_PAGE
from lib.models import (
    EventTotal,
    IntegrationConfig,
    RetentionRun,
    RetentionWaiting,
    WebhookEvent,
)
from lib.retention.ages import Ages, clean_ages, effective_ages
from lib.retention.hub_ages import hub_ages

_SAMPLE = 50
# The present rate is that of the last weeks; hours of years would be many rows to add up.
_LONGEST_WINDOW_DAYS = 30
_MOST_COUNTED = 1_000


@dataclass(frozen=True)
class Holding:
    """About how many bytes of payloads are held, and how many the ages lead to.

    Both are the mean size of the newest payloads times a count of the hourly rollups.
    """

    integration_id: str
    service_name: str
    name: str
    payload_days: int
    has_own_ages: bool
    held_bytes: int
    projected_bytes: int


@dataclass(frozen=True)
class LastRound:
    """The end of the last round of the whole hub, and the bytes it gave back."""

    finished_at: datetime
    bytes_freed: int


@dataclass(frozen=True)
class RetentionPlan:
    """The ages of one integration: those that hold, which are its own, and the `hub`'s below.

    `still_needed` counts events, up to 1,000, that keep their payload beyond its age because
    deliveries of them are not finished.
    """

    ages: Ages
    own: Mapping[str, int]
    hub: Ages
    holding: Holding
    still_needed: int
    last_round: LastRound | None


@dataclass(frozen=True)
class Projection:
    """The holdings of up to 200 integrations, the largest first, and the last round."""

    holdings: Sequence[Holding]
    last_round: LastRound | None


def get_retention(hub: Hub, actor: Actor, integration_id: str) -> RetentionPlan:
    """Return the plan of an integration that `actor` may change; raise NotFound otherwise."""
    with hub.database.read() as session:
        return _plan(session, owned_row(session, actor, integration_id))


def set_retention(
    hub: Hub, actor: Actor, integration_id: str, ages: Mapping[str, int | None]
) -> RetentionPlan:
    """Replace the ages of an integration, in days; None and absent mean the hub's own.

    Raises InvalidInput naming the first bad age. Content past a shorter age goes with the
    next round; what is gone stays gone when an age gets longer.
    """
    with hub.database.write() as session:
        row = owned_row(session, actor, integration_id)
        base = hub_ages(session)
        before = asdict(effective_ages(row.retention, base))
        row.retention = clean_ages(ages, base)
        row.updated_at = now()
        holding = asdict(effective_ages(row.retention, base))
        changes = audit.difference(before, holding)
        audit.record(
            session, actor, "integration.retention_set", row.id, changes=changes, name=row.name
        )
        return _plan(session, row)


def project(hub: Hub, actor: Actor) -> Projection:
    """Return what the integrations that `actor` may change hold, and what that leads to."""
    require_writer(actor)
    query = (
        select(IntegrationConfig)
        .where(col(IntegrationConfig.deleted_at).is_(None))
        .order_by(col(IntegrationConfig.id).desc())
        .limit(LARGEST_PAGE)
    )
    if not actor.sees_all:
        query = query.where(col(IntegrationConfig.user_id) == actor.id)
    with hub.database.read() as session:
        base = hub_ages(session)
        holdings = [_hold(session, row, base) for row in session.exec(query).all()]
        last = _last_round(session)
    return Projection(sorted(holdings, key=lambda item: -item.held_bytes), last)


def _plan(session: Session, row: IntegrationConfig) -> RetentionPlan:
    waiting = (
        select(RetentionWaiting.event_id)
        .where(col(RetentionWaiting.integration_id) == row.id)
        .where(col(RetentionWaiting.kind) == "payloads")
        .limit(_MOST_COUNTED)
    )
    base = hub_ages(session)
    return RetentionPlan(
        ages=effective_ages(row.retention, base),
        own=dict(row.retention),
        hub=base,
        holding=_hold(session, row, base),
        still_needed=session.exec(select(func.count()).select_from(waiting.subquery())).one(),
        last_round=_last_round(session),
    )


def _hold(session: Session, row: IntegrationConfig, base: Ages) -> Holding:
    days = effective_ages(row.retention, base).payload_days
    lifetime = _lifetime_days(session, row)
    window = min(days, lifetime, _LONGEST_WINDOW_DAYS)
    received = session.exec(
        select(func.coalesce(func.sum(col(EventTotal.count)), 0))
        .where(col(EventTotal.scope) == row.id, col(EventTotal.span) == "hour")
        .where(col(EventTotal.outcome) == "received")
        .where(col(EventTotal.since) > now() - timedelta(days=window))
    ).one()
    bytes_a_day = int(received) * _mean_size(session, row.id) / window
    return Holding(
        integration_id=row.id,
        service_name=row.service_name,
        name=row.name,
        payload_days=days,
        has_own_ages=bool(row.retention),
        held_bytes=round(bytes_a_day * min(days, lifetime)),
        projected_bytes=round(bytes_a_day * days),
    )


def _mean_size(session: Session, integration_id: str) -> float:
    length: Any = func.length(col(WebhookEvent.payload))
    newest = (
        select(length.label("size"))
        .where(col(WebhookEvent.integration_id) == integration_id)
        .where(col(WebhookEvent.payload_removed_at).is_(None))
        .order_by(col(WebhookEvent.id).desc())
        .limit(_SAMPLE)
        .subquery()
    )
    return float(session.exec(select(func.coalesce(func.avg(newest.c.size), 0))).one())


def _lifetime_days(session: Session, row: IntegrationConfig) -> int:
    """Return for how many days, begun ones included, events have been coming in."""
    oldest = session.exec(
        select(WebhookEvent.created_at)
        .where(col(WebhookEvent.integration_id) == row.id)
        .order_by(col(WebhookEvent.id))
        .limit(1)
    ).first()
    return 1 + max(0, (now() - oldest).days) if oldest else 1


def _last_round(session: Session) -> LastRound | None:
    query = select(RetentionRun).order_by(col(RetentionRun.finished_at).desc()).limit(1)
    run = session.exec(query).first()
    return LastRound(run.finished_at, run.bytes_freed) if run else None
