"""What is wrong and who hears of it: alerts, channels, and the mail server for staff."""

import streamlit as st

from lib.access import Role
from lib.ui.alerts.alert_channels import draw_channels
from lib.ui.alerts.alert_list import draw_alerts
from lib.ui.alerts.mail_form import draw_mail_form
from lib.ui.errors import reporting_errors
from lib.ui.heads import draw_head
from lib.ui.people.session import require_user
from lib.ui.resources import get_hub
from lib.ui.telling import show_told

user = require_user(Role.MEMBER, Role.STAFF)

draw_head(
    "Alerts",
    "What needs somebody, found by the hub itself. An alert resolves when its cause is gone.",
)
names = ["Alerts", "Channels", *(["Mail server"] if user.role is Role.STAFF else [])]
tabs = dict(zip(names, st.tabs(names), strict=True))
with tabs["Alerts"], reporting_errors():
    draw_alerts(get_hub(), user)
with tabs["Channels"], reporting_errors():
    draw_channels(get_hub(), user)
if user.role is Role.STAFF:
    with tabs["Mail server"], reporting_errors():
        draw_mail_form(get_hub(), user)
show_told()
