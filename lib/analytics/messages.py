"""How far messages and calls came at the vendor, by the stages that it declares."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import col

from lib.access import Actor
from lib.analytics.bins import whole
from lib.analytics.periods import Period
from lib.analytics.scopes import Filters, integrations
from lib.hub import Hub
from lib.id_lists import is_among
from lib.models import IntegrationConfig, MessageTotal
from lib.processing.totals import sum_up
from lib.providers.base import Provider
from lib.providers.registry import all_providers
from lib.providers.reports import Journey

MOST_FAILURES = 10


@dataclass(frozen=True)
class Stage:
    """How many came at least this far."""

    name: str
    count: int
    share: float


@dataclass(frozen=True)
class Failing:
    """How many ended in a state that is no success, by the vendor's code, "" for none.

    `cause` is what the code means, "" where nobody knows.
    """

    state: str
    error_code: str
    cause: str
    count: int
    share: float


@dataclass(frozen=True)
class Funnel:
    """The messages or calls of one service: the stages in order, and how the others failed."""

    service_name: str
    label: str
    total: int
    stages: Sequence[Stage]
    failures: Sequence[Failing]


def funnels(hub: Hub, actor: Actor, period: Period, filters: Filters) -> list[Funnel]:
    """Return a funnel for each kind of thing that a vendor reported on in the period."""
    # Scopes of integrations, for those of owners do not tell services apart.
    conditions = integrations(actor, filters)
    services = select(col(IntegrationConfig.id), col(IntegrationConfig.service_name)).where(
        *conditions
    )
    scopes = [
        is_among(col(MessageTotal.scope), select(col(IntegrationConfig.id)).where(*conditions))
    ]
    columns = [
        col(MessageTotal.scope),
        col(MessageTotal.kind),
        col(MessageTotal.state),
        col(MessageTotal.error_code),
    ]
    found: defaultdict[tuple[str, str], Counter[tuple[str, str]]] = defaultdict(Counter)
    with hub.database.read() as session:
        service_of: dict[str, str] = dict(session.execute(services).all())
        for _, place, kind, state, code, count in sum_up(
            session, MessageTotal, scopes, columns, whole(period)
        ):
            found[service_of[place], kind][state, code] += count
    return [
        _funnel(provider, journey, found[provider.slug, journey.kind])
        for provider in all_providers()
        for journey in provider.journeys
        if found[provider.slug, journey.kind].total() > 0
    ]


def _funnel(provider: Provider, journey: Journey, counts: Mapping[tuple[str, str], int]) -> Funnel:
    total = sum(counts.values())
    reached = Counter[str]()
    for (state, _), count in counts.items():
        for stage in journey.stages[: journey.passed.get(state, 1)]:
            reached[stage] += count
    failures = [
        Failing(state, code, _cause(provider, code), count, count / total)
        for (state, code), count in counts.items()
        if state in journey.failed and count > 0
    ]
    failures.sort(key=lambda item: (-item.count, item.state, item.error_code))
    return Funnel(
        provider.slug,
        journey.label,
        total,
        [Stage(name, reached[name], reached[name] / total) for name in journey.stages],
        failures[:MOST_FAILURES],
    )


def _cause(provider: Provider, code: str) -> str:
    found = provider.explain(code)
    return found.title if found else ""
