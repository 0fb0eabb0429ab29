"""Every attempt of one delivery in full, and the body that was or would be sent."""

import streamlit as st

from lib.access import Actor
from lib.hub import Hub
from lib.outgoing.deliveries import get_delivery
from lib.outgoing.delivery_views import AttemptDetail
from lib.outgoing.exchange import Timings
from lib.ui.delivery_formats import attempt_line
from lib.ui.errors import reporting_errors
from lib.ui.facts_table import draw_facts
from lib.ui.formats import absolute, plain

_STEPS = (
    ("dns_ms", "name"),
    ("connect_ms", "connect"),
    ("tls_ms", "TLS"),
    ("first_byte_ms", "first byte"),
)


def draw_attempts(hub: Hub, user: Actor, delivery_id: str) -> None:
    """Draw the attempts, the newest open, and the body under them."""
    with reporting_errors():
        found = get_delivery(hub, user, delivery_id)
        for attempt in found.attempts:
            is_newest = attempt is found.attempts[-1]
            key = f"activity_attempt_{delivery_id}_{attempt.line.number}"
            label = attempt_line(attempt.line).capitalize()
            with st.expander(label, expanded=is_newest, key=key):
                _draw_attempt(attempt, key=key)
        with st.expander("Body as it is sent", key=f"activity_body_{delivery_id}"):
            if found.body_note:
                st.caption(plain(found.body_note))
            if found.body is not None:
                st.code(found.body, language="json", wrap_lines=True)
            if found.mapping:
                st.caption("By the route's mapping:")
                st.code(found.mapping, language=None, wrap_lines=True)


def _draw_attempt(attempt: AttemptDetail, *, key: str) -> None:
    line = attempt.line
    if line.error:
        st.markdown(plain(line.error))
    where = f" · {plain(attempt.remote_address)}" if attempt.remote_address else ""
    st.caption(f"{absolute(line.created_at)} · {attempt.request_bytes:,} bytes sent{where}")
    st.caption(_say_timings(attempt.timings))
    answer, sent, received = st.tabs(["Answer", "Sent headers", "Answer's headers"])
    with answer:
        st.code(attempt.response_body or "(empty)", language=None, wrap_lines=True)
    with sent:
        draw_facts(attempt.request_headers, key=f"{key}_sent", empty="Nothing was sent.")
    with received:
        draw_facts(attempt.response_headers, key=f"{key}_received", empty="No answer came.")


def _say_timings(timings: Timings) -> str:
    steps = [
        f"{label} {value:,.0f} ms"
        for name, label in _STEPS
        if (value := getattr(timings, name)) is not None
    ]
    return " · ".join([*steps, f"in all {timings.total_ms:,.0f} ms"])
