"""The filters of the activity list, kept in the address so that reload and links keep them."""

from collections.abc import Sequence
from datetime import timedelta

import streamlit as st

from lib.access import Actor
from lib.clock import now
from lib.events import STATUSES, EventFilters
from lib.integrations import Integration
from lib.providers.registry import all_providers
from lib.ui.address_choice import choose_named, labels_by_id

# Options are what stands in the address, so they stay short and without spaces.
RANGES = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
# A bound widget's key is its name in the address: these are public, not `<page>_<thing>`.
_BOUND = {"range": None, "status": None, "type": None, "q": ""}
_NAMED = ("service", "integration")


def draw_filters(
    user: Actor, *, integrations: Sequence[Integration], types: Sequence[str]
) -> EventFilters:
    """Draw the filters and return what they ask for."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        period = st.segmented_control("Time", list(RANGES), key="range", bind="query-params")
        status = st.segmented_control("Status", STATUSES, key="status", bind="query-params")
    columns = st.columns(4 - user.sees_masked)
    with columns[0]:
        services = {provider.slug: provider.label for provider in all_providers()}
        service = choose_named("Service", services, page="activity", parameter="service")
    with columns[1]:
        event_type = st.selectbox(
            "Type", types, index=None, key="type", bind="query-params", placeholder="All"
        )
    with columns[2]:
        names = labels_by_id((item.id, item.name) for item in integrations)
        integration = choose_named("Integration", names, page="activity", parameter="integration")
    search = ""
    if not user.sees_masked:
        with columns[3]:
            search = st.text_input(
                "Search",
                key="q",
                type="search",
                bind="query-params",
                placeholder="Phone, e-mail, id, words",
            )
    return EventFilters(
        service_name=service,
        event_type=event_type,
        status=status,
        integration_id=integration,
        since=now() - RANGES[period] if period else None,
        search=search or "",
    )


def clear_filters() -> None:
    """Empty every filter; a callback, for a widget's value cannot change after it is drawn."""
    for key, empty in _BOUND.items():
        st.session_state[key] = empty
    for parameter in _NAMED:
        st.session_state[f"activity_{parameter}"] = None
        st.query_params.pop(parameter, None)
    # The button stands in the list's fragment, and a fragment's rerun leaves the filters out.
    st.rerun()


def describe(filters: EventFilters) -> str:
    """Return the filters in force in short, such as "status=failed, service=make"."""
    shown = {
        "status": filters.status,
        "service": filters.service_name,
        "type": filters.event_type,
        "integration": "this one" if filters.integration_id else None,
        "search": filters.search or None,
        "time": "limited" if filters.since else None,
    }
    return ", ".join(f"{name}={value}" for name, value in shown.items() if value)
