"""Settings of the whole hub, for staff: retention, health, backups, keys, addresses, alerts."""

import streamlit as st

from lib.access import Role
from lib.ui.address_fields import kept, one_of
from lib.ui.errors import reporting_errors
from lib.ui.heads import draw_head
from lib.ui.people.session import require_user
from lib.ui.resources import get_hub
from lib.ui.settings.addresses import draw_addresses
from lib.ui.settings.alerts import draw_alert_links
from lib.ui.settings.backups import draw_backups
from lib.ui.settings.health import draw_health
from lib.ui.settings.keys import draw_keys
from lib.ui.settings.retention import draw_retention_settings
from lib.ui.telling import show_told

user = require_user(Role.STAFF)

_SECTIONS = {
    "Retention": draw_retention_settings,
    "Health": draw_health,
    "Backups": draw_backups,
    "Keys": draw_keys,
    "Addresses": draw_addresses,
    "Alerts": draw_alert_links,
}

draw_head("Settings", "How the whole hub keeps, protects and reaches things.")
# A choice and not tabs: only what is looked at is asked for, and its address can be shared.
section = st.segmented_control(
    "Section",
    list(_SECTIONS),
    required=True,
    label_visibility="collapsed",
    **kept("settings", "section", one_of(_SECTIONS), empty="Retention"),
)
with reporting_errors():
    _SECTIONS[section](get_hub(), user)
show_told()
