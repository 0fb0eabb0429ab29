"""Every attempt of one delivery in full, and the body that was or would be sent."""

import altair as alt
import streamlit as st

from lib.access import Actor
from lib.codes import explain_delivery
from lib.hub import Hub
from lib.outgoing.curl import as_curl
from lib.outgoing.deliveries import get_delivery
from lib.outgoing.delivery_views import AttemptDetail, DeliveryDetail
from lib.outgoing.exchange import Timings
from lib.ui.code_words import draw_explanation
from lib.ui.deliveries.delivery_formats import attempt_line
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
            _draw_one(user, found, attempt, key=f"activity_attempt_{delivery_id}")
        with st.expander("Body as it is sent", key=f"activity_body_{delivery_id}"):
            if found.body_note:
                st.caption(plain(found.body_note))
            if found.body is not None:
                st.code(found.body, language="json", wrap_lines=True)
            if found.mapping:
                st.caption("By the route's mapping:")
                st.code(found.mapping, language=None, wrap_lines=True)


def _draw_one(user: Actor, found: DeliveryDetail, attempt: AttemptDetail, *, key: str) -> None:
    key = f"{key}_{attempt.line.number}"
    label = attempt_line(attempt.line).capitalize()
    with st.expander(label, expanded=attempt is found.attempts[-1], key=key):
        _draw_attempt(found, attempt, key=key)
        if not user.sees_masked:
            _draw_curl(found, attempt)


def _draw_attempt(found: DeliveryDetail, attempt: AttemptDetail, *, key: str) -> None:
    line = attempt.line
    if line.error:
        st.markdown(plain(line.error))
    explained = explain_delivery(
        found.kind, error_class=line.error_class, response_status=line.response_status
    )
    if explained:
        draw_explanation(explained)
    where = f" · {plain(attempt.remote_address)}" if attempt.remote_address else ""
    st.caption(f"{absolute(line.created_at)} · {attempt.request_bytes:,} bytes sent{where}")
    st.caption(_say_timings(attempt.timings))
    _draw_timings(attempt.timings, key=f"{key}_timings")
    answer, sent, received = st.tabs(["Answer", "Sent headers", "Answer's headers"])
    with answer:
        st.code(attempt.response_body or "(empty)", language=None, wrap_lines=True)
    with sent:
        draw_facts(attempt.request_headers, key=f"{key}_sent", empty="Nothing was sent.")
    with received:
        draw_facts(attempt.response_headers, key=f"{key}_received", empty="No answer came.")


def _draw_curl(found: DeliveryDetail, attempt: AttemptDetail) -> None:
    if found.body is None or not attempt.request_headers:
        return
    with st.popover("Copy as cURL", icon=":material/terminal:"):
        st.caption(
            "The address, the signature and other secrets are placeholders. Reveal the address "
            "at the destination."
        )
        address = f"https://{found.url_host}/<put the rest of the address here>"
        st.code(as_curl(address, attempt.request_headers, found.body), language="bash")


def _draw_timings(timings: Timings, *, key: str) -> None:
    rows, start = [], 0.0
    for name, label in _STEPS:
        value = getattr(timings, name)
        if value is not None:
            rows.append({"step": label, "start": start, "end": start + value, "took": value})
            start += value
    if not rows:
        return
    data = alt.Data(values=rows)  # type: ignore[no-untyped-call]  # Altair gives it no types
    chart = (
        alt.Chart(data)
        .mark_bar()
        .encode(
            x=alt.X("start:Q", title="ms", axis=alt.Axis(tickCount=4)),
            x2="end:Q",
            y=alt.Y("step:N", title=None, sort=[label for _, label in _STEPS]),
            tooltip=[
                alt.Tooltip("step:N", title="Step"),
                alt.Tooltip("took:Q", title="ms", format=",.0f"),
            ],
        )
    )
    st.altair_chart(
        chart.properties(height=30 * len(rows) + 40),
        key=key,
        alt=f"Bars of the steps one after the other: {_say_timings(timings)}.",
    )


def _say_timings(timings: Timings) -> str:
    steps = [
        f"{label} {value:,.0f} ms"
        for name, label in _STEPS
        if (value := getattr(timings, name)) is not None
    ]
    return " · ".join([*steps, f"in all {timings.total_ms:,.0f} ms"])
