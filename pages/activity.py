"""Every stored event: filters, live list, many at once, and one event in a drawer."""

import streamlit as st

from lib.connections.choices import list_choices
from lib.events.reading import list_event_types
from lib.outgoing.deliveries import destination_names
from lib.ui.activity.event_columns import draw_column_picker
from lib.ui.activity.event_detail import draw_event, opened_event
from lib.ui.activity.event_filters import (
    ADDRESS,
    Choices,
    draw_filters,
    lead_to_rejected,
    say_filters,
)
from lib.ui.activity.event_list import draw_list
from lib.ui.address_fields import flag, kept
from lib.ui.errors import reporting_errors, stopping_on_error
from lib.ui.export_links import draw_exports
from lib.ui.heads import draw_head
from lib.ui.people.session import require_user
from lib.ui.resources import get_hub
from lib.ui.view_bar import draw_views

user = require_user()

hub = get_hub()
lead_to_rejected(user)
with draw_head("Activity", "Every event that was taken in, the newest first."):
    draw_views(hub, user, "activity", query=ADDRESS.current(), set_query=ADDRESS.set)
    columns = draw_column_picker()
    draw_exports("events", ADDRESS.current())
    is_choosing = not user.sees_masked and st.toggle(
        "Choose several", **kept("activity", "choose", flag, empty=False)
    )
    is_live = st.toggle("Live", **kept("activity", "live", flag, empty=False))
items = list_choices(hub, user, also=st.query_params.get("integration"))
choices = Choices(items, list_event_types(hub, user), destination_names(hub, user))
with stopping_on_error():
    filters = draw_filters(user, choices)
opened = opened_event()
# A list that moves under an open drawer or under a choice would be drawn again every two seconds.
refresh = 2 if is_live and not opened and not is_choosing else None
with reporting_errors():
    st.fragment(draw_list, run_every=refresh)(
        hub, user, filters, said=say_filters(choices), columns=columns, is_choosing=is_choosing
    )
if opened:
    draw_event(hub, user, opened)
