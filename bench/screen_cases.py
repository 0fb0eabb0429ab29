"""What stands behind each screen: the use-case calls that one draw of it makes."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from bench.bulk_rows import Place
from lib import overview
from lib.access import Actor
from lib.alerts import reading as alerts
from lib.analytics.deliveries import attempts_needed, causes, failing_destinations
from lib.analytics.figures import figures
from lib.analytics.latency import latency, waits
from lib.analytics.messages import funnels
from lib.analytics.periods import compared, find_zone, period_of
from lib.analytics.scopes import Filters
from lib.analytics.silence import silent_integrations
from lib.analytics.volume import heat_map, outcomes, volume
from lib.clock import now
from lib.events import figures as event_figures
from lib.events import reading as events
from lib.events.reading import EventFilters
from lib.hub import Hub
from lib.outgoing import deliveries, destination_figures, issues
from lib.outgoing.delivery_filters import DeliveryFilters

Draw = Callable[[Hub, Actor], object]


@dataclass(frozen=True)
class Case:
    """One way in which a screen is asked for; `draw` makes a new choice at each call."""

    screen: str
    name: str
    draw: Draw
    for_analysts: bool = True


def cases(places: list[Place]) -> list[Case]:
    """Return every case; what they ask for is drawn from `places` by chance."""
    chance = random.Random(1)

    def activity(name: str, make: Callable[[Place], EventFilters], *, hides: bool = False) -> Case:
        def draw(hub: Hub, actor: Actor) -> object:
            own = [p for p in places if actor.sees_all or p.integration.user_id == actor.id]
            page = events.list_events(hub, actor, make(chance.choice(own)))
            ids = [row.id for row in page.rows]
            return (
                event_figures.figures_of(hub, actor, ids),
                event_figures.subjects_of(hub, actor, ids),
            )

        return Case("Activity", name, draw, for_analysts=not hides)

    found = [
        Case("Overview", "whole", _overview),
        Case("Activity", "types", events.list_event_types),
        activity("first page", lambda _: EventFilters()),
        activity("type", lambda p: EventFilters(event_type=chance.choice(p.types))),
        activity("integration", lambda p: EventFilters(integration_id=p.integration.id)),
        activity("last 24 h", lambda _: EventFilters(since=now() - timedelta(days=1))),
        activity("service and type", _service_and_type(chance)),
        activity("destination", lambda p: EventFilters(destination_id=p.destination.id)),
        activity("attempts >= 5", lambda _: EventFilters(min_attempts=5)),
        activity("phone", lambda _: EventFilters(search=_phone(chance)), hides=True),
        activity("e-mail", lambda _: EventFilters(search=_email(chance)), hides=True),
        activity("rare word", lambda _: EventFilters(search=_order(chance)), hides=True),
        activity("common word", lambda _: EventFilters(search="appointment"), hides=True),
        Case("Deliveries", "first page", _list_deliveries(None)),
        Case("Deliveries", "dead", _list_deliveries("dead")),
        Case("Destinations", "first page", destination_figures.destination_overview),
    ]
    for status in ("pending", "success", "failed", "dead", "retrying", "queued", "filtered"):
        found.append(activity(status, lambda _, status=status: EventFilters(status=status)))  # type: ignore[misc]
    return found + [
        Case("Analytics", f"{section}, {days}", _analytics(parts, days))
        for section, parts in _SECTIONS.items()
        for days in ("7d", "30d", "90d")
    ]


# The figures and the volume stand above every section.
_SECTIONS = {
    "deliveries": (outcomes, latency, attempts_needed),
    "failures": (causes, failing_destinations),
    "rhythm": (heat_map,),
    "messages": (funnels, waits),
}


def _analytics(parts: tuple[Callable[..., object], ...], days: str) -> Draw:
    def draw(hub: Hub, actor: Actor) -> object:
        period, filters = period_of(days, find_zone("Europe/Berlin")), Filters()
        before = compared(period, "previous")
        found = [figures(hub, actor, each, filters) for each in (period, before) if each]
        shown = [part(hub, actor, period, filters) for part in (volume, *parts)]
        if heat_map in parts:
            shown.append(silent_integrations(hub, actor, filters))
        return found, shown

    return draw


def _overview(hub: Hub, actor: Actor) -> object:
    is_writer = not actor.sees_masked
    return (
        overview.first_screen(hub, actor),
        overview.volume(hub, actor, hours=24),
        overview.worker_state(hub),
        overview.queue(hub, actor),
        issues.count_open(hub, actor) if is_writer else None,
        alerts.count_open(hub, actor) if is_writer else None,
    )


def _list_deliveries(status: str | None) -> Draw:
    return lambda hub, actor: deliveries.list_deliveries(hub, actor, DeliveryFilters(status=status))


def _service_and_type(chance: random.Random) -> Callable[[Place], EventFilters]:
    return lambda place: EventFilters(
        service_name=place.integration.service_name, event_type=chance.choice(place.types)
    )


def _phone(chance: random.Random) -> str:
    return f"(415) {chance.randrange(500):07d}"


def _email(chance: random.Random) -> str:
    return f"ada{chance.randrange(50) * 10}@example.com"


def _order(chance: random.Random) -> str:
    return f"order{chance.randrange(9_000)}"
