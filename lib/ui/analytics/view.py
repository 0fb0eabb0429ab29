"""What the Analytics screen shows: period, comparison and filters, all kept in the address."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import streamlit as st

from lib.access import Actor, Role
from lib.analytics.periods import (
    ROLLING_DAYS,
    Comparison,
    Period,
    compared,
    period_of,
    span,
)
from lib.analytics.scopes import Filters, members
from lib.clock import now
from lib.connections.choices import list_choices
from lib.errors import InvalidInput
from lib.hub import Hub
from lib.outgoing.deliveries import destination_names
from lib.providers.registry import all_providers
from lib.ui.address_choice import choose_named, labels_by_id
from lib.ui.address_fields import kept, one_of, write_address
from lib.ui.deliveries.delivery_formats import told_apart
from lib.ui.formats import viewer_zone

PAGE = "analytics"
MONTH = "month"
_PERIODS = (*ROLLING_DAYS, MONTH)
_FIRST_PERIOD = "7d"
_MONTHS_BACK = 13
_SINCE, _UNTIL = "since", "until"
_COMPARISONS: dict[Comparison, str] = {
    "previous": "Period before",
    "week": "A week before",
    "month": "A month before",
    "year": "A year before",
    "off": "Nothing",
}
NONCE = "analytics_volume_nonce"


@dataclass(frozen=True)
class View:
    """Whose figures are shown, of when and what; `focus` is the part chosen in the chart."""

    hub: Hub
    actor: Actor
    period: Period
    focus: Period | None
    how: Comparison
    filters: Filters

    @property
    def shown(self) -> Period:
        """The span that everything but the volume chart is about."""
        return self.focus or self.period

    @property
    def before(self) -> Period | None:
        """What the span is compared with."""
        return compared(self.shown, self.how)

    @property
    def unserviced(self) -> Filters:
        """The filters without the service, whose other bars stay in the volume chart, paler."""
        return replace(self.filters, service_name=None)


def draw_view(hub: Hub, actor: Actor) -> View:
    """Draw period, comparison and filters, and return what they ask for."""
    zone = viewer_zone()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.segmented_control(
            "Period",
            _PERIODS,
            required=True,
            **kept(
                PAGE,
                "span",
                one_of(_PERIODS),
                empty=_FIRST_PERIOD,
                drop=(_SINCE, _UNTIL),
                then=_renew_chart,
            ),
        )
        text = chosen or _FIRST_PERIOD
        if text == MONTH:
            text = _choose_month(now().astimezone(zone))
        how = _choose_comparison()
    period = period_of(text, zone)
    return View(hub, actor, period, _find_focus(period), how, _draw_filters(hub, actor))


def set_focus(since: datetime, until: datetime) -> None:
    """Put a part of the period into the address; a callback's part."""
    write_address(PAGE, {_SINCE: _written(since), _UNTIL: _written(until)})


def forget_focus() -> None:
    """Take the part out of the address."""
    write_address(PAGE, {_SINCE: None, _UNTIL: None})


def clear_focus() -> None:
    """Show the whole period again, under a chart with nothing chosen; a callback."""
    forget_focus()
    _renew_chart()


def activity_query(view: View) -> dict[str, str]:
    """Return the address parameters with which Activity shows the same events."""
    given = {
        "service": view.filters.service_name,
        "integration": view.filters.integration_id,
        "destination": view.filters.destination_id,
    }
    return {**_moments(view), **{name: value for name, value in given.items() if value}}


def dead_query(view: View) -> dict[str, str]:
    """Return the address parameters with which Deliveries shows what died in the same time."""
    place = view.filters.destination_id
    return {"status": "dead", **_moments(view), **({"destination": place} if place else {})}


def _moments(view: View) -> dict[str, str]:
    return {_SINCE: _written(view.shown.since), _UNTIL: _written(view.shown.until)}


def _draw_filters(hub: Hub, actor: Actor) -> Filters:
    is_staff = actor.role is Role.STAFF
    with st.grid(4 if is_staff else 3, min_column_width=170):
        services = {provider.slug: provider.label for provider in all_providers()}
        service = choose_named("Service", services, page=PAGE, parameter="service")
        items = list_choices(hub, actor, also=st.query_params.get("integration"))
        own = labels_by_id((item.id, item.name) for item in items)
        integration = choose_named("Integration", own, page=PAGE, parameter="integration")
        places = told_apart(destination_names(hub, actor))
        place = choose_named("Destination", places, page=PAGE, parameter="destination")
        member = None
        if is_staff:
            people = dict(members(hub, actor))
            member = choose_named("Member", people, page=PAGE, parameter="member")
    return Filters(service, integration, place, member)


def _choose_month(today: datetime) -> str:
    months = [f"{year}-{month + 1:02}" for year, month in _months_before(today)]
    address = kept(
        PAGE,
        MONTH,
        one_of(months),
        empty=months[0],
        drop=(_SINCE, _UNTIL),
        then=_renew_chart,
    )
    return str(st.selectbox("Month", months, width=140, **address))


def _renew_chart() -> None:
    st.session_state[NONCE] = st.session_state.get(NONCE, 0) + 1


def _months_before(today: datetime) -> list[tuple[int, int]]:
    newest = today.year * 12 + today.month - 1
    return [divmod(newest - back, 12) for back in range(_MONTHS_BACK)]


def _choose_comparison() -> Comparison:
    chosen: Comparison = st.selectbox(
        "Compare with",
        list(_COMPARISONS),
        format_func=_COMPARISONS.__getitem__,
        width=170,
        **kept(PAGE, "compare", one_of(_COMPARISONS), empty="previous"),
    )
    return chosen


def _find_focus(period: Period) -> Period | None:
    """Return the part that the address names; one that is odd or outside is none."""
    since, until = (_read(st.query_params.get(name, "")) for name in (_SINCE, _UNTIL))
    if since is None or until is None:
        return None
    try:
        part = span(max(since, period.since), min(until, period.until), period.zone)
    except InvalidInput:
        return None
    return None if (part.since, part.until) == (period.since, period.until) else part


def _read(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def _written(moment: datetime) -> str:
    # A plus sign in an address is read as a space.
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")
