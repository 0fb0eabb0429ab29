"""Requests that did not prove who sent them."""

import streamlit as st

from lib.access import Role
from lib.ui.errors import reporting_errors
from lib.ui.heads import draw_head
from lib.ui.people.session import require_user
from lib.ui.rejected.doctor import PARAMETER, draw_examination
from lib.ui.rejected.rejection_filters import draw_rejection_filters
from lib.ui.rejected.rejection_list import draw_rejections
from lib.ui.resources import get_hub

user = require_user(Role.MEMBER, Role.STAFF)

draw_head(
    "Rejected",
    "These requests were refused, so nothing happened with them. Most come from a secret that "
    "was changed on one side, or from an address that differs from the one in the provider.",
)
with reporting_errors():
    filters, signature = draw_rejection_filters(get_hub(), user)
    draw_rejections(get_hub(), user, filters, signature=signature)
if PARAMETER in st.query_params:
    draw_examination(get_hub(), user, st.query_params[PARAMETER])
