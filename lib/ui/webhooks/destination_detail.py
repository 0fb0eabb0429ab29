"""One destination: how it fares, its test, its routes, its settings and its secrets."""

from typing import Literal

import streamlit as st

from lib.access import Actor
from lib.clock import now
from lib.hub import Hub
from lib.outgoing import destinations
from lib.outgoing.destination_figures import DestinationFigures
from lib.outgoing.trials import Trial, send_test
from lib.providers.registry import get_target
from lib.quantities import duration
from lib.ui.errors import reporting_errors
from lib.ui.formats import absolute, ago, email, plain
from lib.ui.issued_secret import draw_secret
from lib.ui.links import draw_link
from lib.ui.telling import act_and_toast
from lib.ui.webhooks.destination_actions import draw_actions
from lib.ui.webhooks.destination_form import draw_edit_form
from lib.ui.webhooks.destination_words import (
    STATES,
    kind_label,
    masked_address,
    queue_words,
    share_words,
    speed_words,
)
from lib.ui.webhooks.route_list import draw_routes

_PAGE = "webhooks"
_SHORT_ANSWER = 600
_OUTCOMES = {
    "delivered": (st.success, ":material/check_circle:", "Delivered"),
    "accepted": (st.success, ":material/check_circle:", "Accepted"),
    "retry": (st.warning, ":material/replay:", "Would be tried again"),
    "dead": (st.error, ":material/error:", "Would fail for good"),
    "gone": (st.error, ":material/block:", "Gone"),
}


def draw_destination(hub: Hub, user: Actor, row: DestinationFigures) -> None:
    """Draw everything about one destination."""
    item = row.destination
    label, colour, icon = STATES[row.state]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":gray-badge[{plain(kind_label(item.kind))}]", width="content")
        st.badge(label, icon=icon, color=colour)  # type: ignore[arg-type]  # a Literal of names
        by = f" by {email(item.owner)}" if item.user_id != user.id else ""
        st.caption(
            f"Added {ago(item.created_at)}{by}", width="content", help=absolute(item.created_at)
        )
        st.code(item.id, language=None, width="content")
    _draw_state(hub, user, row)
    draw_secret(item.id, page=_PAGE)
    _draw_figures(row)
    test, routes, settings, actions = st.tabs(["Test", "Routes", "Settings", "Actions"])
    with test:
        _draw_test(hub, user, row)
    with routes:
        draw_routes(hub, user, destination_id=item.id)
    with settings:
        draw_edit_form(hub, user, item, get_target(item.kind))
    with actions:
        draw_actions(hub, user, item)


def _draw_state(hub: Hub, user: Actor, row: DestinationFigures) -> None:
    rest = ""
    if row.blocked_until:
        left = duration((row.blocked_until - now()).total_seconds())
        rest = f"{left}, until {absolute(row.blocked_until)}"
    if row.state == "disabled":
        reason = plain(row.destination.disabled_reason or "The other side answered 410.")
        st.error(
            f"**Nothing is sent here.** {reason} What is routed here is kept. Enter a new "
            "address under Settings, or enable this one again.",
            icon=":material/block:",
        )
        st.button(
            "Enable again",
            key="webhooks_enable",
            type="primary",
            icon=":material/play_circle:",
            on_click=_enable,
            args=(hub, user, row.destination.id),
        )
    elif row.state == "open":
        st.warning(
            f"Too many attempts failed in a row, so nothing is sent for {rest}. Then one "
            "delivery tries whether it works again.",
            icon=":material/power_off:",
        )
    elif row.state == "waiting":
        st.warning(f"The other side asked for a rest of {rest}.", icon=":material/schedule:")
    elif row.state == "paused":
        st.info(
            "Paused: what is routed here is kept and sent when you resume it under Actions.",
            icon=":material/pause_circle:",
        )


def _draw_figures(row: DestinationFigures) -> None:
    grid = st.grid(4, min_column_width=150)
    with grid:
        st.metric("Success, 24 h", share_words(row), border=True)
        st.metric(
            "p95, 24 h",
            speed_words(row.p95_milliseconds),
            border=True,
            help="95 of 100 attempts took at most this long.",
        )
        st.metric("Queued", queue_words(row.queued), border=True)
        st.metric("Next attempt", _until(row), border=True)


def _until(row: DestinationFigures) -> str:
    moment = row.next_attempt_at
    if moment is None:
        return "–"
    if row.state in ("paused", "disabled"):
        return "on hold"
    seconds = (max(moment, row.blocked_until or moment) - now()).total_seconds()
    return "now" if seconds <= 0 else f"in {duration(seconds)}"


def _draw_test(hub: Hub, user: Actor, row: DestinationFigures) -> None:
    target = get_target(row.destination.kind)
    st.code(masked_address(row.destination), language=None)
    if not target.has_address:
        st.caption(
            f"A test would really do it, so it is tried on the integration's page, under Actions. "
            f"{plain(target.success_note)}"
        )
        query = {"open": row.destination.integration_id or ""}
        draw_link("integrations", "Open the integration", query=query, icon=":material/cable:")
        return
    st.caption(
        f"A test sends one event of the type hub.test on the same way as a delivery: signed, "
        f"guarded, once. {plain(target.success_note)}"
    )
    if st.button("Send a test", key="webhooks_test", icon=":material/send:", type="primary"):
        with reporting_errors():
            with st.spinner("Sending…"):
                trial = send_test(hub, user, row.destination.id)
            _draw_trial(trial)


def _draw_trial(trial: Trial) -> None:
    draw, icon, word = _OUTCOMES[trial.judgement.outcome]
    status = f" Status {trial.status}." if trial.status is not None else ""
    message = f" {plain(trial.judgement.message)}" if trial.judgement.message else ""
    draw(f"**{word}.**{status}{message}", icon=icon)
    timings = trial.timings
    steps = {
        "name": timings.dns_ms,
        "connection": timings.connect_ms,
        "TLS": timings.tls_ms,
        "first byte": timings.first_byte_ms,
        "all": timings.total_ms,
    }
    shown = [f"{name} {speed_words(took)}" for name, took in steps.items() if took is not None]
    where = f" · answered by {trial.remote_address}" if trial.remote_address else ""
    st.caption(f"{' · '.join(shown)} · {trial.sent_bytes:,} bytes sent{where}")
    if trial.answer:
        st.markdown("**Its answer**")
        is_long = len(trial.answer) > _SHORT_ANSWER
        height: int | Literal["content"] = 300 if is_long else "content"
        st.code(trial.answer, language=None, wrap_lines=True, height=height)


def _enable(hub: Hub, user: Actor, destination_id: str) -> None:
    act_and_toast(
        lambda: destinations.enable(hub, user, destination_id), "Enabled: what waited is sent now."
    )
