"""Credentials: every secret and address in use, how it stands, and how it is replaced."""

import streamlit as st

from lib.access import Role
from lib.credentials.views import get_credential
from lib.ui.credentials.detail import draw_credential
from lib.ui.credentials.list import OPEN, draw_credentials
from lib.ui.errors import reporting_errors, stopping_on_error
from lib.ui.heads import draw_head
from lib.ui.issued_secret import forget_secret
from lib.ui.people.session import require_user
from lib.ui.resources import get_hub

user = require_user(Role.MEMBER, Role.STAFF)


def _go_to_list() -> None:
    forget_secret()
    st.query_params.pop(OPEN, None)


if OPEN in st.query_params:
    st.button(
        "All credentials",
        key="credentials_back",
        icon=":material/arrow_back:",
        type="tertiary",
        on_click=_go_to_list,
    )
    with stopping_on_error():
        row = get_credential(get_hub(), user, st.query_params[OPEN])
    st.title(row.label, anchor=False)
    draw_credential(get_hub(), user, row)
else:
    draw_head("Credentials", "Every secret and address in use: its age, its uses, its rotation.")
    with reporting_errors():
        draw_credentials(get_hub(), user)
