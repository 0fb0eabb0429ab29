"""The time of a list: one of the ranges up to now, or two moments in the viewer's zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import streamlit as st

from lib.errors import HubError, InvalidInput
from lib.lists.addressed_filters import RANGES, read_moment
from lib.ui.address_fields import kept, one_of
from lib.ui.formats import viewer_zone
from lib.ui.list_address import TIMES, ListAddress
from lib.ui.telling import tell

_LABELS = {"since": "From", "until": "Until"}


def draw_time_filter(address: ListAddress) -> None:
    """Draw the ranges and, behind a button, the two moments."""
    st.segmented_control(
        "Time",
        list(RANGES),
        **kept(address.page, address.span, one_of(RANGES), drop=TIMES),
    )
    is_given = any(name in address.current() for name in TIMES)
    with st.popover(
        "Custom time",
        icon=":material/event_available:" if is_given else ":material/calendar_month:",
        key=f"{address.page}_times",
    ):
        _draw_moments(address)


def say_moment(name: str, value: str) -> str:
    """Return a moment of the address in the viewer's zone; one that cannot be read as it is."""
    try:
        moment = read_moment({name: value}, name)
    except HubError:
        return value
    return f"{moment.astimezone(viewer_zone()):%Y-%m-%d %H:%M}" if moment else ""


def _draw_moments(address: ListAddress) -> None:
    zone = viewer_zone()
    with st.form(f"{address.page}_times_form", border=False):
        for name in TIMES:
            key = f"{address.page}_{name}"
            _follow_address(address, name, key, zone=zone)
            st.datetime_input(_LABELS[name], value=None, key=key, format="YYYY-MM-DD", step=300)
        st.caption(f"In the zone {zone.key}. Either may stay empty.")
        st.form_submit_button("Use these", on_click=_keep_moments, args=(address, zone))


def _follow_address(address: ListAddress, name: str, key: str, *, zone: ZoneInfo) -> None:
    """Show what a link has brought; a widget takes a new value only before it is drawn."""
    given, seen = address.current().get(name, ""), f"{key}_of"
    if st.session_state.get(seen) == given:
        return
    st.session_state[seen] = given
    try:
        moment = read_moment({name: given}, name)
    except HubError:
        # The list itself says what is wrong with it.
        return
    shown = (
        moment.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0) if moment else None
    )
    st.session_state[key] = shown


def _keep_moments(address: ListAddress, zone: ZoneInfo) -> None:
    def act() -> str:
        chosen: dict[str, datetime] = {}
        for name in TIMES:
            if value := st.session_state[f"{address.page}_{name}"]:
                chosen[name] = value.replace(tzinfo=zone).astimezone(UTC)
        if len(chosen) == len(TIMES) and chosen["since"] >= chosen["until"]:
            raise InvalidInput(
                "The end lies before the beginning. Choose a later one.", field="until"
            )
        others = {n: v for n, v in address.current().items() if n not in (address.span, *TIMES)}
        moments = {name: f"{moment:%Y-%m-%dT%H:%MZ}" for name, moment in chosen.items()}
        address.set({**others, **moments})
        return "The list shows the time you chose." if chosen else "The list shows all times."

    tell(act)
