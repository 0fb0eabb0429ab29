"""The audit log: who did what, to which object, from where; and the proof that it is whole."""

from lib.access import Role
from lib.ui.errors import reporting_errors, stopping_on_error
from lib.ui.heads import draw_head
from lib.ui.people.session import require_user
from lib.ui.resources import get_hub
from lib.ui.settings.audit_list import draw_entries, draw_filters, draw_tools

user = require_user(Role.STAFF)

hub = get_hub()
draw_head("Audit", "Every action of people and of programs with a token, newest first.")
with stopping_on_error():
    filters = draw_filters(hub, user)
draw_tools(hub, user)
with reporting_errors():
    draw_entries(hub, user, filters)
