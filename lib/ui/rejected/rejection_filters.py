"""The filters of the refused requests; all of them stand in the address."""

import streamlit as st

from lib.access import Actor
from lib.clock import now
from lib.connections.choices import list_choices
from lib.hub import Hub
from lib.intake.rejections import RejectionFilters, list_reasons
from lib.lists.addressed_filters import RANGES
from lib.providers.registry import all_providers
from lib.ui.address_choice import choose_named, labels_by_id
from lib.ui.address_fields import kept, one_of, text

_PAGE = "rejected"


def draw_rejection_filters(hub: Hub, user: Actor) -> tuple[RejectionFilters, str]:
    """Draw the filters; return them, and a text that differs where they do."""
    items = list_choices(hub, user, also=st.query_params.get("integration"))
    services = {provider.slug: provider.label for provider in all_providers()}
    names = labels_by_id((item.id, item.name) for item in items)
    reasons = {reason: reason.replace("_", " ").capitalize() for reason in list_reasons(hub, user)}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        period = st.segmented_control("Time", list(RANGES), **kept(_PAGE, "since", one_of(RANGES)))
        service = choose_named("Service", services, page=_PAGE, parameter="service")
        integration = choose_named("Integration", names, page=_PAGE, parameter="integration")
        reason = choose_named("Reason", reasons, page=_PAGE, parameter="reason")
        search = st.text_input(
            "Search",
            type="search",
            placeholder="Words of the reason, address, id",
            **kept(_PAGE, "find", text),
        )
    filters = RejectionFilters(
        service_name=service,
        integration_id=integration,
        reason=reason,
        since=now() - RANGES[period] if period else None,
        search=search or "",
    )
    return filters, f"{period} {service} {integration} {reason} {search}"
