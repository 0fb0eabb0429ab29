"""Every delivery onwards: filters, the list, and replays of what is chosen or matches."""

from lib.outgoing.deliveries import destination_names
from lib.ui.deliveries.delivery_list import (
    ADDRESS,
    draw_delivery_columns,
    draw_delivery_filters,
    draw_delivery_list,
)
from lib.ui.deliveries.replay_dialog import draw_progress
from lib.ui.errors import reporting_errors, stopping_on_error
from lib.ui.export_links import draw_exports
from lib.ui.heads import draw_head
from lib.ui.people.session import require_user
from lib.ui.resources import get_hub
from lib.ui.view_bar import draw_views

user = require_user()

hub = get_hub()
with draw_head("Deliveries", "What was sent onwards, and how it went."):
    draw_views(hub, user, "deliveries", query=ADDRESS.current(), set_query=ADDRESS.set)
    columns = draw_delivery_columns()
    draw_exports("deliveries", ADDRESS.current())
if not user.sees_masked:
    draw_progress(hub, user)
with stopping_on_error():
    filters = draw_delivery_filters(destination_names(hub, user))
with reporting_errors():
    draw_delivery_list(hub, user, filters, columns=columns)
