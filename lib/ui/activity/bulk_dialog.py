"""Doing one thing to many: choose it, see what it would do, do it, and see what was done.

What was found and planned is kept by the tab between the display and the confirmation, so that
what is confirmed is what was shown.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import streamlit as st

from lib.access import Actor
from lib.clock import now
from lib.errors import HubError
from lib.events import bulk
from lib.events.bulk import ACTIONS, MOST, Plan, Progress
from lib.events.conditions import EventFilters
from lib.events.reading import EventRow, list_events
from lib.hub import Hub
from lib.outgoing.delivery_filters import DeliveryFilters
from lib.quantities import duration
from lib.ui.errors import show_refusal
from lib.ui.formats import counted, plain

_JOB = "hub_bulk"
_ACTION, _TAG = "bulk_action", "bulk_tag"
_SHOWN_DESTINATIONS = 10
_EVENTS = ("event", "events")


@dataclass
class _Job:
    """What one tab is about to do; `asked` is the action and the tag that `planned` is for."""

    event_ids: tuple[str, ...] | None = None
    events: EventFilters | None = None
    deliveries: DeliveryFilters | None = None
    note: str = ""
    planned: Plan | None = None
    asked: tuple[str, str] = ("", "")
    is_confirmed: bool = False
    progress: Progress | None = None
    is_whole: bool = False
    begun_at: datetime = field(default_factory=now)


def begin_with_events(event_ids: Sequence[str]) -> None:
    """Open the dialog for these events; a callback."""
    st.session_state[_JOB] = _Job(event_ids=tuple(event_ids))


def begin_with_matches(filters: EventFilters) -> None:
    """Open the dialog for all events that match, up to 10,000; a callback."""
    st.session_state[_JOB] = _Job(events=filters)


def begin_cancelling(filters: DeliveryFilters) -> None:
    """Open the dialog for cancelling the deliveries that match; a callback."""
    st.session_state[_JOB] = _Job(deliveries=filters)


def draw_bulk(hub: Hub, user: Actor) -> None:
    """Draw the dialog if one of the callbacks has opened it."""
    job: _Job | None = st.session_state.get(_JOB)
    if job is None:
        return
    if now() - job.begun_at > bulk.PLAN_LASTS and job.progress is None:
        # Somebody left the screen with the dialog open, and comes back to another list.
        _forget()
        return
    _draw_dialog(hub, user)


def _forget() -> None:
    st.session_state.pop(_JOB, None)


def _close() -> None:
    _forget()
    st.rerun()


@st.dialog("Many at once", width="medium", on_dismiss=_forget)
def _draw_dialog(hub: Hub, user: Actor) -> None:
    job: _Job | None = st.session_state.get(_JOB)
    if job is None:
        return
    if job.is_confirmed and job.planned is not None:
        _carry_out(hub, user, job, job.planned)
        if job.progress is None:
            return
    if job.progress is not None:
        _draw_outcome(job, job.progress)
        return
    try:
        is_ready = _look(hub, user, job)
    except HubError as error:
        st.warning(error.message, icon=":material/error:")
        return
    if is_ready and job.planned is not None:
        _draw_plan(hub, user, job.planned)
        _draw_start(job, job.planned)


def _look(hub: Hub, user: Actor, job: _Job) -> bool:
    """Find and plan what is not known yet; say whether there is a plan for what is asked."""
    if job.deliveries is not None:
        _plan_once(job, ("cancel", ""), lambda: _plan_deliveries(hub, user, job))
        return True
    ids = _found(hub, user, job)
    st.markdown(f"**{counted(len(ids), 'event')}**")
    if job.note:
        st.caption(job.note)
    if not ids:
        st.info("No event matches any more.", icon=":material/info:")
        return False
    action = st.selectbox("What", list(ACTIONS), format_func=ACTIONS.__getitem__, key=_ACTION)
    tag = ""
    if action in ("tag", "untag"):
        tag = st.text_input("Tag", key=_TAG, placeholder="case=4711")
        if not tag:
            return False
    _plan_once(job, (action, tag), lambda: bulk.plan(hub, user, action, ids, tag=tag))
    return True


def _found(hub: Hub, user: Actor, job: _Job) -> tuple[str, ...]:
    if job.event_ids is None:
        with st.spinner("Looking for them …"):
            found = bulk.match(hub, user, job.events or EventFilters())
        job.event_ids = found.ids
        job.note = "" if found.is_all else f"More match; these are the newest {MOST:,}."
    return job.event_ids


def _plan_deliveries(hub: Hub, user: Actor, job: _Job) -> Plan:
    return bulk.plan_cancelling(hub, user, job.deliveries or DeliveryFilters())


def _plan_once(job: _Job, asked: tuple[str, str], make: Callable[[], Plan]) -> None:
    if job.planned is not None and job.asked == asked:
        return
    job.planned = None
    with st.spinner("Looking at what it would do …"):
        job.planned, job.asked = make(), asked


def _draw_plan(hub: Hub, user: Actor, planned: Plan) -> None:
    if not planned.count:
        st.info("There is nothing to do for these.", icon=":material/info:")
    for name, count in planned.by_destination[:_SHOWN_DESTINATIONS]:
        st.markdown(f"- {plain(name)}: {count:,}")
    if (more := len(planned.by_destination) - _SHOWN_DESTINATIONS) > 0:
        st.caption(f"and {counted(more, 'more destination')}")
    if planned.action == "replay" and planned.count:
        st.caption(
            f"Takes about {duration(max(1.0, planned.seconds))} if nothing else waits and all "
            "goes well."
        )
    if planned.replayed_before:
        st.warning(
            f"{planned.replayed_before:,} of them were delivered again before. The other side "
            "gets them once more, under a new id.",
            icon=":material/content_copy:",
        )
    for sentence in planned.left_out:
        st.caption(plain(sentence))
    if planned.sample:
        _draw_sample(hub, user, planned.sample)


def _draw_sample(hub: Hub, user: Actor, event_ids: Sequence[str]) -> None:
    rows: list[EventRow] = []
    for event_id in event_ids:
        rows += list_events(hub, user, EventFilters(search=event_id), limit=1).rows
    st.dataframe(
        [
            {"created_at": row.created_at, "type": row.event_type, "summary": row.summary}
            for row in rows
        ],
        key="bulk_sample",
        hide_index=True,
        alt=f"The first {counted(len(rows), 'event')} of them.",
        column_config={
            "created_at": st.column_config.DatetimeColumn("Time", format="distance"),
            "type": "Type",
            "summary": "Summary",
        },
    )


def _draw_start(job: _Job, planned: Plan) -> None:
    if not planned.count:
        return
    noun = ("delivery", "deliveries") if planned.action in ("replay", "cancel") else _EVENTS
    st.button(
        f"{ACTIONS[planned.action]}: {planned.count:,} {noun[planned.count != 1]}",
        key="bulk_start",
        type="primary",
        on_click=_confirm,
        args=(job,),
    )


def _confirm(job: _Job) -> None:
    job.is_confirmed = True


def _carry_out(hub: Hub, user: Actor, job: _Job, planned: Plan) -> None:
    """Do what was confirmed, once: a run that is cut short leaves what it had done on record."""
    job.is_confirmed, job.progress = False, Progress(0)
    bar = st.progress(0.0, text="Begun …")
    try:
        for progress in bulk.carry_out(hub, user, planned):
            job.progress = progress
            seen = progress.done + progress.left_out
            bar.progress(min(seen / planned.count, 1.0), text=f"{seen:,} of {planned.count:,}")
    except HubError as error:
        job.planned = job.progress = None
        bar.empty()
        show_refusal(error.message)
        st.button("Look again", key="bulk_again", icon=":material/refresh:")
        return
    bar.empty()
    job.is_whole = True


def _draw_outcome(job: _Job, progress: Progress) -> None:
    said = "handed to the worker" if job.asked[0] == "replay" else "done"
    if not job.is_whole:
        st.warning(
            "This was cut short. What is missing is still in the list.", icon=":material/stop:"
        )
    if progress.done:
        st.success(f"{progress.done:,} {said}.", icon=":material/check_circle:")
    if progress.left_out:
        st.warning(
            f"{progress.left_out:,} left out. {plain(progress.reason)}",
            icon=":material/error:",
        )
    st.button("Close", key="bulk_close", on_click=_close)
