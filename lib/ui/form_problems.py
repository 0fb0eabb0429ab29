"""Why a form was refused, shown at the field that it is about."""

from collections.abc import Collection

import streamlit as st

from lib.errors import HubError, InvalidInput


def keep_problem(page: str, error: HubError) -> None:
    """Keep the error of a form until it is saved or left."""
    field = error.field if isinstance(error, InvalidInput) else ""
    st.session_state[f"{page}_problem"] = (field, error.message)


def forget_problem(page: str) -> None:
    """Forget the error of a form that was saved or left."""
    st.session_state.pop(f"{page}_problem", None)


def draw_problem(page: str, field: str) -> None:
    """Draw the error below its field."""
    about, message = st.session_state.get(f"{page}_problem", ("", ""))
    if message and about == field:
        st.error(message, icon=":material/error:")


def draw_other_problem(page: str, drawn: Collection[str]) -> None:
    """Draw an error that is about none of the `drawn` fields, above them all."""
    about, message = st.session_state.get(f"{page}_problem", ("", ""))
    if message and about not in drawn:
        st.error(message, icon=":material/error:")


def has_problem(page: str, fields: Collection[str]) -> bool:
    """Tell whether the error is about one of these fields, so that they must be in view."""
    about, _ = st.session_state.get(f"{page}_problem", ("", ""))
    return about in fields
