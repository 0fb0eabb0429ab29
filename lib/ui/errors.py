"""How failures reach the screen: one sentence for what we expect, a reference for the rest."""

import logging
import secrets
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from lib.errors import HubError

_log = logging.getLogger("hub.dashboard")


@contextmanager
def reporting_errors() -> Iterator[None]:
    """Show a HubError of the block as one sentence; the script goes on after the block."""
    try:
        yield
    except HubError as error:
        show_refusal(error.message)


@contextmanager
def stopping_on_error() -> Iterator[None]:
    """Show a HubError of the block as one sentence and draw nothing more."""
    try:
        yield
    except HubError as error:
        show_refusal(error.message)
        st.stop()


def show_refusal(message: str) -> None:
    """Show why something was not done and what to do next."""
    st.error(message, icon=":material/error:")


def toast_refusal(message: str) -> None:
    """Show why something was not done where nothing can be drawn; it stays until it is read."""
    st.toast(message, icon=":material/error:", duration="infinite")


def report_script_error(error: Exception) -> bool:
    """Log where an unexpected failure happened and show its reference.

    The exception's own text is left out: that of a database error repeats the row's values.
    """
    reference = secrets.token_hex(4)
    frames = traceback.extract_tb(error.__traceback__)
    places = " > ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
    _log.error("%s: %s at %s", reference, type(error).__name__, places)
    show_refusal(
        "Something went wrong on our side and nothing more was done. Reload the page; if it "
        f"happens again, give staff the reference {reference} from the dashboard's log."
    )
    return True
