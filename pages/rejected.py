"""Requests that did not prove who sent them."""

import streamlit as st

from lib.access import Role
from lib.ui.errors import reporting_errors
from lib.ui.export_links import draw_exports
from lib.ui.heads import draw_head
from lib.ui.people.session import require_user
from lib.ui.rejected.doctor import PARAMETER, draw_examination
from lib.ui.rejected.rejection_filters import ADDRESS, draw_rejection_filters
from lib.ui.rejected.rejection_list import draw_rejections
from lib.ui.resources import get_hub
from lib.ui.telling import show_told
from lib.ui.view_bar import draw_views

user = require_user(Role.MEMBER, Role.STAFF)

with draw_head(
    "Rejected",
    "These requests were refused, so nothing happened with them. Most come from a secret that "
    "was changed on one side, or from an address that differs from the one in the provider.",
):
    draw_views(get_hub(), user, "rejected", query=ADDRESS.current(), set_query=ADDRESS.set)
    draw_exports("rejections", ADDRESS.current())
with reporting_errors():
    filters = draw_rejection_filters(get_hub(), user)
    show_told()
    draw_rejections(get_hub(), user, filters)
if PARAMETER in st.query_params:
    draw_examination(get_hub(), user, st.query_params[PARAMETER])
