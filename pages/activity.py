"""Every stored event: filters, live list, many at once, and one event in a drawer."""

import streamlit as st

from lib.events import list_event_types
from lib.integrations import list_all
from lib.outgoing.deliveries import destination_names
from lib.ui.errors import reporting_errors, stopping_on_error
from lib.ui.event_columns import draw_column_picker
from lib.ui.event_detail import draw_event, opened_event
from lib.ui.event_filters import Choices, current_query, draw_filters, set_query
from lib.ui.event_list import draw_list
from lib.ui.export_links import draw_exports
from lib.ui.resources import get_hub
from lib.ui.session import require_user
from lib.ui.view_bar import draw_views

user = require_user()

hub = get_hub()
with st.container(horizontal=True, vertical_alignment="bottom"):
    st.title("Activity", anchor=False, width="stretch")
    is_choosing = not user.sees_masked and st.toggle(
        "Choose several", key="choose", bind="query-params", help="To do one thing to many."
    )
    is_live = st.toggle("Live", key="live", bind="query-params", help="Looks every 2 seconds.")
    draw_views(hub, user, "activity", query=current_query(), set_query=set_query)
    columns = draw_column_picker()
    draw_exports("events", current_query())
choices = Choices(list_all(hub, user), list_event_types(hub, user), destination_names(hub, user))
with stopping_on_error():
    filters = draw_filters(user, choices)
opened = opened_event()
# A list that moves under an open drawer or under a choice would be drawn again every two seconds.
refresh = 2 if is_live and not opened and not is_choosing else None
with reporting_errors():
    st.fragment(draw_list, run_every=refresh)(
        hub, user, filters, query=current_query(), columns=columns, is_choosing=is_choosing
    )
if opened:
    draw_event(hub, user, opened)
