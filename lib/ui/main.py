"""The dashboard's main script: the gate, then the navigation of the user's role.

It lives outside the folder above `pages/`: beside that folder Streamlit would serve the page
files by themselves on a fresh server, without this gate.
"""

from pathlib import Path

import streamlit as st

from lib.access import Actor, Role
from lib.outgoing.issues import count_open
from lib.ui import address_fields
from lib.ui.alerts.alert_list import draw_bell
from lib.ui.errors import reporting_errors, stopping_on_error
from lib.ui.global_search import draw_global_search
from lib.ui.heartbeat import draw_heartbeat
from lib.ui.menu import menu_of
from lib.ui.people.login import show_login
from lib.ui.people.profile import show_environment, show_identity, show_role
from lib.ui.people.session import (
    find_actor,
    hand_over_cookie,
    require_user,
    sign_out,
    watch_session,
)
from lib.ui.resources import get_hub, get_settings

_LOGO = Path(__file__).with_name("logo.svg")
# A Material icon would be fetched from Google, which the content policy forbids.
_ICON = Path(__file__).with_name("icon.svg")
_WRITERS = (Role.MEMBER, Role.STAFF)


def main() -> None:
    """Draw the page that the address names, if its reader may see it."""
    st.set_page_config(page_title="Members Hub", page_icon=str(_ICON), layout="wide")
    # Announced before the gate, so that the address survives the sign-in; hidden, so that a
    # stranger learns no page names.
    st.navigation(menu_of(list(Role)), position="hidden")
    with stopping_on_error():
        actor = find_actor()
    if actor is None:
        show_login()
        st.stop()
    watch_session()
    hand_over_cookie()
    actor = require_user()
    st.logo(str(_LOGO), size="large")
    with stopping_on_error():
        waiting = count_open(get_hub(), actor) if actor.role in _WRITERS else 0
    page = st.navigation(menu_of({actor.role}, open_issues=waiting), expanded=True)
    address_fields.arrive(page.url_path)
    _show_side(actor, here=page.url_path)
    page.run()


def _show_side(actor: Actor, *, here: str) -> None:
    with st.sidebar:
        draw_global_search(get_hub(), actor, here=here)
    with st.sidebar, st.container(gap="small"):
        with stopping_on_error():
            draw_heartbeat(get_hub(), actor)
        if actor.role in _WRITERS:
            with reporting_errors():
                draw_bell(get_hub(), actor)
        show_identity(actor)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            show_role(actor)
            show_environment(get_settings().public_url)
            st.button(
                "Sign out",
                icon=":material/logout:",
                type="tertiary",
                key="main_sign_out",
                on_click=sign_out,
            )


if __name__ == "__main__":
    main()
