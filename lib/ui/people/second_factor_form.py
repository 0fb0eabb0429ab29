"""The second factor on the account page: turn it on with a QR code, see what is left, turn off."""

import io

import segno
import streamlit as st

from lib.access import Actor
from lib.errors import HubError
from lib.hub import Hub
from lib.people import second_factor
from lib.ui.form_problems import draw_other_problem, draw_problem, forget_problem, keep_problem
from lib.ui.formats import counted
from lib.ui.issued_secret import draw_secret, remember_secret

_PAGE = "account_factor"
_ENROLMENT = "account_factor_enrolment"
_CODE, _OFF_CODE = "account_factor_code", "account_factor_off_code"
_OFF_PASSWORD = "account_factor_off_password"  # noqa: S105 - the name of a field
_OWNER = "second_factor"
_FEW = 3


def draw_second_factor(hub: Hub, user: Actor) -> None:
    """Draw the section."""
    st.subheader("Second factor", anchor=False)
    state = second_factor.read_state(hub, user)
    draw_secret(_OWNER, page=_PAGE)
    if state.is_on:
        _draw_on(hub, user, state.recovery_codes_left)
    elif _ENROLMENT in st.session_state:
        _draw_enrolment(hub, user)
    else:
        st.caption(
            "With it a stolen password is not enough: the sign-in also asks for a code of an app "
            "on your phone."
        )
        st.button(
            "Set up",
            icon=":material/phonelink_lock:",
            key="account_factor_begin",
            on_click=_begin,
            args=(hub, user),
        )


def _draw_enrolment(hub: Hub, user: Actor) -> None:
    secret, uri = st.session_state[_ENROLMENT]
    st.markdown("1. Scan this with your authenticator app, or type the key into it.")
    picture = io.BytesIO()
    segno.make(uri, error="m").save(picture, kind="png", scale=5, border=2)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.image(picture.getvalue(), width=190, output_format="PNG")
        st.code(secret, language=None, wrap_lines=True)
    with st.form("account_factor_confirm", border=False):
        st.markdown("2. Type the code that it shows now.")
        draw_other_problem(_PAGE, ("code",))
        st.text_input("Code", autocomplete="one-time-code", key=_CODE)
        draw_problem(_PAGE, "code")
        st.form_submit_button("Turn on", type="primary", on_click=_confirm, args=(hub, user))
    st.button("Leave it", key="account_factor_leave", type="tertiary", on_click=_leave)


def _draw_on(hub: Hub, user: Actor, left: int) -> None:
    st.badge("On", color="green", icon=":material/verified_user:")
    st.caption(f"{counted(left, 'recovery code')} left.")
    if left <= _FEW:
        st.warning("Turn it off and on again to get new recovery codes.", icon=":material/warning:")
    with st.expander("Turn it off"), st.form("account_factor_off", border=False):
        draw_other_problem(_PAGE, ("password", "code"))
        st.text_input(
            "Password", type="password", autocomplete="current-password", key=_OFF_PASSWORD
        )
        draw_problem(_PAGE, "password")
        st.text_input("Code", autocomplete="one-time-code", key=_OFF_CODE)
        draw_problem(_PAGE, "code")
        st.form_submit_button("Turn off", on_click=_turn_off, args=(hub, user))


def _begin(hub: Hub, user: Actor) -> None:
    forget_problem(_PAGE)
    try:
        made = second_factor.begin(hub, user)
    except HubError as error:
        keep_problem(_PAGE, error)
        return
    st.session_state[_ENROLMENT] = (made.secret, made.uri)


def _leave() -> None:
    forget_problem(_PAGE)
    st.session_state.pop(_ENROLMENT, None)


def _confirm(hub: Hub, user: Actor) -> None:
    forget_problem(_PAGE)
    try:
        codes = second_factor.confirm(hub, user, str(st.session_state[_CODE]))
    except HubError as error:
        keep_problem(_PAGE, error)
        return
    _leave()
    remember_secret(
        _OWNER,
        "\n".join(codes),
        title="Recovery codes",
        note="Each one signs you in once, should you lose the phone. Keep them elsewhere.",
    )


def _turn_off(hub: Hub, user: Actor) -> None:
    forget_problem(_PAGE)
    password, code = str(st.session_state[_OFF_PASSWORD]), str(st.session_state[_OFF_CODE])
    st.session_state[_OFF_PASSWORD] = st.session_state[_OFF_CODE] = ""
    try:
        second_factor.turn_off(hub, user, password=password, code=code)
    except HubError as error:
        keep_problem(_PAGE, error)
