"""The signature calculator: what is signed and what comes out, from typed values."""

import streamlit as st

from lib.access import Actor
from lib.errors import HubError
from lib.laboratory.calculator import Calculation, Question, calculable, calculate
from lib.providers.base import Provider
from lib.providers.sending import FORM_TYPE, JSON_TYPE
from lib.ui.facts_table import draw_facts
from lib.ui.form_problems import draw_other_problem, forget_problem, keep_problem

_PAGE = "testing_calculator"
_RESULT = f"{_PAGE}_result"
_TYPES = {FORM_TYPE: "Form", JSON_TYPE: "JSON"}


def draw_calculator(user: Actor) -> None:
    """Draw the form and the last result; nothing of it is stored."""
    left, right = st.columns(2, gap="large")
    with left:
        _draw_form(user)
    with right:
        st.markdown("**What comes out**")
        result: Calculation | None = st.session_state.get(_RESULT)
        if result is None:
            st.caption("Compare it with what your own code makes of the same values.")
        else:
            _draw_result(result)


def _draw_form(user: Actor) -> None:
    providers = {provider.slug: provider for provider in calculable()}
    slug = st.selectbox(
        "Scheme",
        list(providers),
        key=f"{_PAGE}_scheme",
        format_func=lambda each: providers[each].label,
        on_change=_forget,
    )
    provider = providers[slug]
    st.caption(provider.signature_note)
    draw_other_problem(_PAGE, ())
    with st.form(f"{_PAGE}_form", enter_to_submit=False):
        _draw_request()
        st.text_input(
            _secret_label(provider),
            type="password",
            key=f"{_PAGE}_secret",
            help="It is used for this calculation alone and kept nowhere.",
            autocomplete="new-password",
        )
        st.form_submit_button(
            "Calculate",
            key=f"{_PAGE}_go",
            type="primary",
            on_click=_calculate,
            args=(user, provider),
        )


def _draw_request() -> None:
    st.text_input(
        "URL",
        key=f"{_PAGE}_url",
        placeholder="https://hub.example.com/api/webhooks/…",
        help="As the provider calls it, with query and without fragment.",
    )
    st.segmented_control(
        "Body",
        list(_TYPES),
        default=FORM_TYPE,
        required=True,
        key=f"{_PAGE}_type",
        format_func=_TYPES.__getitem__,
    )
    st.text_area(
        "Parameters or body",
        key=f"{_PAGE}_body",
        height=160,
        help="A form: one field a line, as Name=value. JSON: the exact bytes.",
    )
    with st.expander("Id and time, where the scheme has them"):
        st.text_input("Message id", key=f"{_PAGE}_id", placeholder="A fresh one")
        st.text_input("Time in Unix seconds", key=f"{_PAGE}_time", placeholder="Now")


def _secret_label(provider: Provider) -> str:
    return next(item.label for item in provider.fields if item.name == provider.signing_field)


def _calculate(user: Actor, provider: Provider) -> None:
    state = st.session_state
    secret = state.get(f"{_PAGE}_secret") or ""
    # Set and not dropped, so that the browser's box is emptied too.
    state[f"{_PAGE}_secret"] = ""
    question = Question(
        service_name=provider.slug,
        url=state.get(f"{_PAGE}_url") or "",
        content_type=state.get(f"{_PAGE}_type") or FORM_TYPE,
        text=state.get(f"{_PAGE}_body") or "",
        values={provider.signing_field: secret},
        message_id=state.get(f"{_PAGE}_id") or "",
        timestamp=state.get(f"{_PAGE}_time") or "",
    )
    try:
        result = calculate(user, question)
    except HubError as error:
        keep_problem(_PAGE, error)
        state.pop(_RESULT, None)
        return
    forget_problem(_PAGE)
    state[_RESULT] = result


def _forget() -> None:
    st.session_state.pop(_RESULT, None)
    forget_problem(_PAGE)


def _draw_result(result: Calculation) -> None:
    if result.base:
        st.markdown("The signature covers this text")
        st.code(result.base, language=None, wrap_lines=True)
    else:
        st.info("Nothing is signed: the header carries the secret itself.")
    st.markdown("The headers")
    draw_facts(result.headers, key=f"{_PAGE}_headers", empty="There are none.")
    st.markdown("The address that is called")
    st.code(result.url or "(none)", language=None, wrap_lines=True)
