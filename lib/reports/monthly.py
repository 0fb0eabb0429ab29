"""What stands in the report of a month: figures from totals, and the issues of that month."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlmodel import Session, col

from lib.access import Actor, Role
from lib.analytics.bins import whole
from lib.analytics.deliveries import (
    FAILURES,
    Cause,
    causes,
    ends_by_destination,
    names_of_destinations,
)
from lib.analytics.figures import Figures, figures
from lib.analytics.latency import SHARES
from lib.analytics.periods import Period, moved_back, period_of
from lib.analytics.scopes import Filters, integrations, of_destinations
from lib.analytics.silence import last_hours
from lib.analytics.volume import volume
from lib.clock import now
from lib.errors import InvalidInput
from lib.histogram import percentile
from lib.hub import Hub
from lib.id_lists import is_among
from lib.lists.paging import LARGEST_PAGE
from lib.masking import HIDDEN
from lib.models import (
    AuditEntry,
    Destination,
    EventTotal,
    IntegrationConfig,
    Issue,
    LatencyTotal,
    User,
)
from lib.outgoing.outcomes import ARRIVED
from lib.processing.totals import sum_up

_MONTH = re.compile(r"20\d{2}-(0[1-9]|1[0-2])")
_MOST_INCIDENTS = 20
_RESOLVED = "issue.resolved"


@dataclass(frozen=True)
class IntegrationLine:
    """What one integration received."""

    name: str
    service_name: str
    received: int
    rejected: int
    last_hour: datetime | None


@dataclass(frozen=True)
class DestinationLine:
    """What was sent to one destination, and how it ended."""

    name: str
    attempts: int
    delivered: int
    dead: int

    @property
    def share(self) -> float | None:
        """The share of finished deliveries that arrived."""
        return self.delivered / (self.delivered + self.dead) if self.delivered + self.dead else None


@dataclass(frozen=True)
class Incident:
    """A cause of dead letters that was first seen in the month."""

    destination_name: str
    message: str
    count: int
    state: str
    first_seen_at: datetime


@dataclass(frozen=True)
class Incidents:
    """How many issues began and were resolved in the month, and the heaviest of them."""

    opened: int
    resolved: int
    heaviest: Sequence[Incident]


@dataclass(frozen=True)
class Report:
    """One month within a scope. `before` is of the month before, over the same days."""

    month: str
    scope: str
    period: Period
    made_at: datetime
    figures: Figures
    before: Figures
    latencies: tuple[float | None, ...]
    days: Sequence[tuple[date, int]]
    causes: Sequence[Cause]
    incidents: Incidents
    integrations: Sequence[IntegrationLine]
    destinations: Sequence[DestinationLine] = field(default_factory=tuple)


def monthly_report(
    hub: Hub, actor: Actor, month: str, *, zone: ZoneInfo, member_id: str | None = None
) -> Report:
    """Return the report of a month such as 2026-11, by the calendar of `zone`.

    Raises InvalidInput for another text and for a month that has not begun.
    """
    if not _MONTH.fullmatch(month):
        raise InvalidInput("Give the month as year and month, such as 2026-11.", field="month")
    period = period_of(month, zone)
    if period.since > now():
        raise InvalidInput("That month has not begun. Choose an earlier one.", field="month")
    filters = Filters(member_id=member_id)
    with hub.database.read() as session:
        scope = _scope(session, actor, filters)
        latencies = _latencies(session, actor, period, filters)
        incidents = _incidents(session, actor, period, filters)
        integrations = _integrations(session, actor, period, filters)
        destinations = _destinations(session, actor, period, filters)
    return Report(
        month=month,
        scope=scope,
        period=period,
        made_at=now(),
        figures=figures(hub, actor, period, filters),
        before=figures(hub, actor, moved_back(period, "month"), filters),
        latencies=latencies,
        days=_days(hub, actor, period, filters),
        causes=causes(hub, actor, period, filters),
        incidents=incidents,
        integrations=integrations,
        destinations=destinations,
    )


def _scope(session: Session, actor: Actor, filters: Filters) -> str:
    if not actor.sees_all:
        return f"{actor.name} ({actor.email})"
    if actor.role is Role.STAFF and filters.member_id:
        member = session.get(User, filters.member_id)
        return f"{member.name} ({member.email})" if member else "Nobody"
    return "All members"


def _days(hub: Hub, actor: Actor, period: Period, filters: Filters) -> list[tuple[date, int]]:
    counts: Counter[date] = Counter()
    for point in volume(hub, actor, period, filters):
        counts[point.start.astimezone(period.zone).date()] += point.count
    first = period.since.astimezone(period.zone).date()
    return [(day, counts[day]) for day in (first + timedelta(n) for n in range(period.days))]


def _latencies(
    session: Session, actor: Actor, period: Period, filters: Filters
) -> tuple[float | None, ...]:
    scopes, columns = of_destinations(LatencyTotal, actor, filters), [col(LatencyTotal.bucket)]
    found = sum_up(session, LatencyTotal, scopes, columns, whole(period))
    counts = {bucket: count for _, bucket, count in found}
    return tuple(percentile(counts, share) for share in SHARES)


def _integrations(
    session: Session, actor: Actor, period: Period, filters: Filters
) -> list[IntegrationLine]:
    own = select(col(IntegrationConfig.id)).where(*integrations(actor, filters))
    scopes = [is_among(col(EventTotal.scope), own)]
    columns = [col(EventTotal.scope), col(EventTotal.outcome)]
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for _, place, outcome, count in sum_up(session, EventTotal, scopes, columns, whole(period)):
        counts[place][outcome] = count
    busiest = sorted(counts, key=lambda place: (-counts[place]["received"], place))[:LARGEST_PAGE]
    hours = [col(EventTotal.since) >= period.since, col(EventTotal.since) < period.until]
    named = last_hours(hours).where(col(IntegrationConfig.id).in_(busiest))
    found = {row.id: row for row in session.execute(named)}
    return [
        IntegrationLine(
            found[place].name,
            found[place].service_name,
            counts[place]["received"],
            counts[place]["rejected"],
            found[place].last_hour,
        )
        for place in busiest
    ]


def _destinations(
    session: Session, actor: Actor, period: Period, filters: Filters
) -> list[DestinationLine]:
    counts = ends_by_destination(session, actor, period, filters)
    busiest = sorted(counts, key=lambda place: (-counts[place].total(), place))[:LARGEST_PAGE]
    name_of = names_of_destinations(session, busiest)
    return [
        DestinationLine(
            name_of[place],
            counts[place].total(),
            sum(counts[place][outcome] for outcome in ARRIVED),
            counts[place][FAILURES[1]],
        )
        for place in busiest
    ]


def _incidents(session: Session, actor: Actor, period: Period, filters: Filters) -> Incidents:
    owned = []
    if not actor.sees_all:
        owned.append(col(Issue.user_id) == actor.id)
    if filters.member_id:
        owned.append(col(Issue.user_id) == filters.member_id)
    began = (col(Issue.first_seen_at) >= period.since, col(Issue.first_seen_at) < period.until)
    opened = session.execute(select(func.count(col(Issue.id))).where(*owned, *began)).scalar_one()
    resolved = session.execute(
        select(func.count(col(AuditEntry.object_id).distinct()))
        .join(Issue, col(Issue.id) == col(AuditEntry.object_id))
        .where(*owned, col(AuditEntry.action) == _RESOLVED)
        .where(col(AuditEntry.created_at) >= period.since)
        .where(col(AuditEntry.created_at) < period.until)
    ).scalar_one()
    heaviest = (
        select(Issue, col(Destination.name))
        .join(Destination, col(Destination.id) == col(Issue.destination_id))
        .where(*owned, *began)
        .order_by(col(Issue.count).desc(), col(Issue.id))
        .limit(_MOST_INCIDENTS)
    )
    return Incidents(
        opened,
        resolved,
        [
            Incident(
                name,
                HIDDEN if actor.sees_masked else issue.message,
                issue.count,
                issue.state,
                issue.first_seen_at,
            )
            for issue, name in session.execute(heaviest)
        ],
    )
