"""Where alerts, the mail server and users are set: each has a screen of its own."""

import streamlit as st

from lib.access import Actor
from lib.alerts.mail_settings import get_mail_settings
from lib.hub import Hub
from lib.ui.formats import email, plain
from lib.ui.links import draw_link


def draw_alert_links(hub: Hub, user: Actor) -> None:
    """Draw whether mail goes out, and the ways to the screens."""
    mail = get_mail_settings(hub, user)
    with st.container(border=True):
        st.subheader("Mail server", anchor=False)
        if mail is None:
            st.markdown(":orange-badge[:material/warning: Not set] E-mail alerts cannot go out.")
        else:
            st.markdown(
                f":green-badge[:material/check_circle: Set] {plain(mail.host)}, port {mail.port}, "
                f"from {email(mail.sender)}"
            )
        draw_link("alerts", "Mail server, channels and alerts", icon=":material/notifications:")
    with st.container(border=True):
        st.subheader("People", anchor=False)
        st.markdown("Who signs in, in which role, and with which second factor.")
        draw_link("users", "Users and invitations", icon=":material/group:")
