"""Every delivery onwards: filters, the list, and replays of what is chosen or matches."""

import streamlit as st

from lib.outgoing.deliveries import destination_names
from lib.ui.delivery_list import draw_delivery_filters, draw_delivery_list
from lib.ui.errors import reporting_errors
from lib.ui.replay_dialog import draw_progress
from lib.ui.resources import get_hub
from lib.ui.session import require_user

user = require_user()

hub = get_hub()
st.title("Deliveries", anchor=False)
if not user.sees_masked:
    draw_progress(hub, user)
filters = draw_delivery_filters(destination_names(hub, user))
with reporting_errors():
    draw_delivery_list(hub, user, filters)
