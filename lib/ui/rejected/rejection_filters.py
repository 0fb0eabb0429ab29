"""The filters of the refused requests; all of them stand in the address."""

import streamlit as st

from lib.access import Actor
from lib.connections.choices import list_choices
from lib.hub import Hub
from lib.intake.rejections import RejectionFilters, list_reasons
from lib.lists.addressed_filters import rejection_filters
from lib.providers.registry import all_providers
from lib.ui.address_choice import choose_named, labels_by_id
from lib.ui.address_fields import kept, text
from lib.ui.list_address import ListAddress
from lib.ui.time_filter import draw_time_filter

_PAGE = "rejected"
ADDRESS = ListAddress(_PAGE, span="range", others=("service", "integration", "reason", "find"))


def draw_rejection_filters(hub: Hub, user: Actor) -> RejectionFilters:
    """Draw the filters and return what they ask for; raise InvalidInput for a bad address."""
    items = list_choices(hub, user, also=st.query_params.get("integration"))
    services = {provider.slug: provider.label for provider in all_providers()}
    names = labels_by_id((item.id, item.name) for item in items)
    reasons = {reason: reason.replace("_", " ").capitalize() for reason in list_reasons(hub, user)}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        draw_time_filter(ADDRESS)
        st.text_input(
            "Search",
            type="search",
            placeholder="Words of the reason, address, id",
            width="stretch",
            **kept(_PAGE, "find", text),
        )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        choose_named("Service", services, page=_PAGE, parameter="service")
        choose_named("Integration", names, page=_PAGE, parameter="integration")
        choose_named("Reason", reasons, page=_PAGE, parameter="reason")
    return rejection_filters(ADDRESS.current())
