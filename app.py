"""The dashboard's entry: `streamlit run app.py`. Screens begin in lib/ui/main.py."""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from lib.ui import export_routes
from lib.ui.errors import report_script_error
from lib.ui.people import session_routes
from lib.ui.security_headers import SecurityHeaders

app = st.App(
    Path(__file__).resolve().parent / "lib" / "ui" / "main.py",
    routes=(*session_routes.ROUTES, *export_routes.ROUTES),
    middleware=[Middleware(SecurityHeaders)],
    on_script_error=report_script_error,
)
