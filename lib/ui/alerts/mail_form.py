"""The form of the hub's mail server, for staff; the Settings screen draws it too."""

import streamlit as st

from lib.access import Actor
from lib.alerts import mail_settings
from lib.alerts.mail_settings import SECURITIES, MailDraft, MailSettings
from lib.errors import HubError
from lib.hub import Hub
from lib.ui.form_problems import draw_other_problem, draw_problem, forget_problem, keep_problem
from lib.ui.telling import do_and_tell

_PAGE = "alerts_mail"
_FIELDS = ("host", "port", "security", "user", "password", "sender")
_LABELS = {"starttls": "STARTTLS", "tls": "TLS", "none": "None"}


def draw_mail_form(hub: Hub, user: Actor) -> None:
    """Draw the form, and a test once a server is set."""
    stored = mail_settings.get_mail_settings(hub, user)
    st.caption("E-mail alerts are handed in at this server.")
    with st.form("alerts_mail_form", enter_to_submit=False):
        draw_other_problem(_PAGE, _FIELDS)
        _draw_fields(stored)
        st.form_submit_button(
            "Save mail server", key="alerts_mail_save", on_click=_save, args=(hub, user)
        )
    if stored is not None:
        with st.container(horizontal=True):
            st.button(
                "Send a test message",
                icon=":material/send:",
                key="alerts_mail_test",
                help=f"To {user.email}",
                on_click=_test,
                args=(hub, user),
            )
            with st.popover("Remove", icon=":material/delete:", key="alerts_mail_removal"):
                st.markdown("E-mail alerts then go out no more, and the password is forgotten.")
                st.button(
                    "Remove the mail server",
                    key="alerts_mail_remove",
                    type="primary",
                    on_click=_remove,
                    args=(hub, user),
                )


def _draw_fields(stored: MailSettings | None) -> None:
    left, middle, right = st.columns([3, 1, 2])
    left.text_input("Host", value=stored.host if stored else "", key=_key("host"))
    middle.number_input(
        "Port", 1, 65_535, value=stored.port if stored else 587, step=1, key=_key("port")
    )
    right.selectbox(
        "Security",
        SECURITIES,
        index=SECURITIES.index(stored.security) if stored else 0,
        format_func=lambda each: _LABELS[each],
        key=_key("security"),
    )
    for name in ("host", "port", "security"):
        draw_problem(_PAGE, name)
    left, right = st.columns(2)
    left.text_input("User name", value=stored.user if stored else "", key=_key("user"))
    kept = stored is not None and stored.has_password
    right.text_input(
        "Password",
        type="password",
        placeholder="Stored; leave blank to keep it" if kept else "",
        key=_key("password"),
    )
    draw_problem(_PAGE, "user")
    draw_problem(_PAGE, "password")
    st.text_input("From address", value=stored.sender if stored else "", key=_key("sender"))
    draw_problem(_PAGE, "sender")


def _save(hub: Hub, user: Actor) -> None:
    given = {name: st.session_state.get(_key(name)) or "" for name in _FIELDS}
    draft = MailDraft(
        given["host"],
        int(given["port"] or 0),
        given["security"],
        user=given["user"],
        sender=given["sender"],
        password=given["password"],
    )
    try:
        mail_settings.set_mail_settings(hub, user, draft)
    except HubError as error:
        keep_problem(_PAGE, error)
        return
    forget_problem(_PAGE)
    st.session_state[_key("password")] = ""
    do_and_tell(lambda: "Saved. Send a test message to see that it arrives.")


def _remove(hub: Hub, user: Actor) -> None:
    def act() -> str:
        mail_settings.remove_mail_settings(hub, user)
        return "Removed. E-mail channels say so until a server is set again."

    do_and_tell(act)
    # The fields begin anew, as those of a hub without a server.
    for name in _FIELDS:
        st.session_state.pop(_key(name), None)


def _test(hub: Hub, user: Actor) -> None:
    def act() -> str:
        mail_settings.send_test_mail(hub, user)
        return f"Handed in for {user.email}. Look whether it arrived."

    do_and_tell(act)


def _key(name: str) -> str:
    return f"alerts_mail_{name}"
