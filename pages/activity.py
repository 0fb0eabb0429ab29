"""Every stored event: filters, live list, and one event in a drawer."""

import streamlit as st

from lib.events import list_event_types
from lib.integrations import list_all
from lib.ui.errors import reporting_errors
from lib.ui.event_detail import draw_event, opened_event
from lib.ui.event_filters import draw_filters
from lib.ui.event_list import draw_list
from lib.ui.resources import get_hub
from lib.ui.session import require_user

user = require_user()

hub = get_hub()
with st.container(horizontal=True, vertical_alignment="bottom"):
    st.title("Activity", anchor=False, width="stretch")
    is_live = st.toggle("Live", key="live", bind="query-params", help="Looks every 2 seconds.")
filters = draw_filters(user, integrations=list_all(hub, user), types=list_event_types(hub, user))
opened = opened_event()
# A list that moves under an open drawer would draw it again every two seconds.
refresh = 2 if is_live and not opened else None
with reporting_errors():
    st.fragment(draw_list, run_every=refresh)(hub, user, filters)
if opened:
    draw_event(hub, user, opened)
