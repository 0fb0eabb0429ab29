"""Every delivery onwards: filters, the list, and replays of what is chosen or matches."""

import streamlit as st

from lib.outgoing.deliveries import destination_names
from lib.ui.delivery_list import (
    current_query,
    draw_delivery_filters,
    draw_delivery_list,
    set_query,
)
from lib.ui.errors import reporting_errors
from lib.ui.export_links import draw_exports
from lib.ui.replay_dialog import draw_progress
from lib.ui.resources import get_hub
from lib.ui.session import require_user
from lib.ui.view_bar import draw_views

user = require_user()

hub = get_hub()
with st.container(horizontal=True, vertical_alignment="bottom"):
    st.title("Deliveries", anchor=False, width="stretch")
    draw_views(hub, user, "deliveries", query=current_query(), set_query=set_query)
    draw_exports("deliveries", current_query())
if not user.sees_masked:
    draw_progress(hub, user)
filters = draw_delivery_filters(destination_names(hub, user))
with reporting_errors():
    draw_delivery_list(hub, user, filters)
