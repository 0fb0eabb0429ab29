"""Where an event went: each delivery with its attempts, and what can be done with it."""

from collections.abc import Sequence

import streamlit as st

from lib.access import Actor
from lib.errors import HubError
from lib.hub import Hub
from lib.outgoing import deliveries, replays
from lib.outgoing.delivery_filters import DeliveryFilters
from lib.outgoing.delivery_views import DeliveryRow, TrackedDelivery
from lib.outgoing.replays import DryRun
from lib.ui.deliveries.attempt_detail import draw_attempts
from lib.ui.deliveries.delivery_formats import attempt_line, countdown, delivery_chip, told_apart
from lib.ui.deliveries.replay_dialog import draw_dry_run
from lib.ui.formats import absolute, ago, plain
from lib.ui.telling import tell

_OPENED = "activity_opened_delivery"
_REPLAYED = "activity_replayed_delivery"


def is_moving(found: Sequence[TrackedDelivery]) -> bool:
    """Say whether a worker will change any of them by itself; a paused one waits for people."""
    return any(each.row.is_open and each.row.status != "paused" for each in found)


def draw_deliveries(hub: Hub, user: Actor, found: Sequence[TrackedDelivery]) -> None:
    """Draw one card for each delivery."""
    for each in found:
        with st.container(border=True, gap="small", key=f"activity_delivery_{each.row.id}"):
            _draw_delivery(hub, user, each)
    if len(found) == deliveries.MOST_OF_EVENT:
        st.caption(f"These are the newest {deliveries.MOST_OF_EVENT}.")


def draw_send_to(hub: Hub, user: Actor, event_id: str) -> None:
    """Draw the choice of a destination that the event is sent to, past all routes."""
    names = told_apart(replays.send_choices(hub, user, event_id))
    if not names:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Send to another destination",
            list(names),
            index=None,
            key="activity_send_to",
            placeholder="Choose one",
            format_func=lambda option: names[option],
        )
        st.button(
            "Send",
            key="activity_send",
            icon=":material/send:",
            disabled=chosen is None,
            on_click=_send,
            args=(hub, user, event_id, chosen),
        )


def _draw_delivery(hub: Hub, user: Actor, each: TrackedDelivery) -> None:
    row = each.row
    again = " · a replay" if row.origin_id else ""
    st.markdown(f"{delivery_chip(row.status)} **{plain(row.destination_name)}**{again}")
    lines = [attempt_line(attempt) for attempt in each.attempts]
    st.markdown("\n".join(f"- {line}" for line in [*lines, _last_line(row)]))
    if row.last_error and row.status in ("dead", "retrying"):
        st.caption(plain(row.last_error))
    with st.container(horizontal=True, gap="small"):
        if not user.sees_masked:
            _draw_actions(hub, user, row)
        is_opened = st.session_state.get(_OPENED) == row.id
        st.button(
            "Hide details" if is_opened else "Details",
            key=f"activity_details_{row.id}",
            type="tertiary",
            on_click=_toggle,
            args=(_OPENED, row.id),
        )
    if st.session_state.get(_REPLAYED) == row.id and not row.is_open:
        _draw_replay(hub, user, row)
    if is_opened:
        st.code(row.id, language=None)
        draw_attempts(hub, user, row.id)


def _last_line(row: DeliveryRow) -> str:
    if row.status == "sending":
        return "being sent right now"
    if row.status == "paused":
        return "waits until the destination takes deliveries again"
    if row.next_attempt_at is not None:
        when = countdown(row.next_attempt_at)
        return f"next try {when}" if row.attempts else f"first try {when}"
    if row.finished_at is None:
        return "ended"
    words = {"dead": "given up", "cancelled": "cancelled"}
    return f"{words.get(row.status, row.status)} {ago(row.finished_at)}"


def _draw_actions(hub: Hub, user: Actor, row: DeliveryRow) -> None:
    if row.status in ("pending", "retrying", "paused"):
        st.button(
            "Retry now",
            key=f"activity_retry_now_{row.id}",
            icon=":material/bolt:",
            help=f"Planned for {absolute(row.next_attempt_at)}" if row.next_attempt_at else None,
            on_click=_retry,
            args=(hub, user, row.id),
        )
        st.button(
            "Cancel",
            key=f"activity_cancel_{row.id}",
            icon=":material/block:",
            on_click=_cancel,
            args=(hub, user, row.id),
        )
    elif not row.is_open:
        st.button(
            "Replay",
            key=f"activity_replay_{row.id}",
            icon=":material/replay:",
            on_click=_toggle,
            args=(_REPLAYED, row.id),
        )


def _draw_replay(hub: Hub, user: Actor, row: DeliveryRow) -> None:
    try:
        seen = replays.dry_run(hub, user, DeliveryFilters(ids=(row.id,)))
    except HubError as error:
        st.warning(error.message)
        return
    draw_dry_run(seen)
    with st.container(horizontal=True):
        st.button(
            "Send it again",
            key=f"activity_replay_start_{row.id}",
            type="primary",
            disabled=not seen.count,
            on_click=_replay,
            args=(hub, user, seen),
        )
        st.button(
            "Leave it",
            key=f"activity_replay_leave_{row.id}",
            on_click=_toggle,
            args=(_REPLAYED, row.id),
        )


def _toggle(key: str, delivery_id: str) -> None:
    is_same = st.session_state.get(key) == delivery_id
    st.session_state[key] = None if is_same else delivery_id


def _retry(hub: Hub, user: Actor, delivery_id: str) -> None:
    tell(lambda: deliveries.retry_now(hub, user, delivery_id).notice)


def _cancel(hub: Hub, user: Actor, delivery_id: str) -> None:
    tell(lambda: f"Cancelled: {deliveries.cancel(hub, user, delivery_id).destination_name}.")


def _replay(hub: Hub, user: Actor, seen: DryRun) -> None:
    def order() -> str:
        replays.start(hub, user, seen)
        return "Handed to the worker as a new delivery."

    if tell(order):
        st.session_state[_REPLAYED] = None
        # The drawer looks again for what moves, and refreshes while it does.
        st.rerun()


def _send(hub: Hub, user: Actor, event_id: str, destination_id: str) -> None:
    def send() -> str:
        made = replays.send_event(hub, user, event_id, destination_id)
        return f"Handed to the worker for {made.destination_name}."

    if tell(send):
        st.rerun()
