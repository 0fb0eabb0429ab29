"""Doing one thing to many events: choose it, see what it would do, do it, watch it."""

from collections.abc import Sequence

import streamlit as st

from lib import bulk
from lib.access import Actor
from lib.bulk import ACTIONS, MOST_EVENTS, Plan
from lib.errors import HubError
from lib.event_conditions import EventFilters
from lib.events import EventRow, list_events
from lib.hub import Hub
from lib.ui.formats import counted, duration, plain

_ACTION, _TAG = "activity_bulk_action", "activity_bulk_tag"
_SAMPLE = 5


@st.dialog("Many events at once", width="medium")
def draw_bulk_of_rows(hub: Hub, user: Actor, event_ids: Sequence[str]) -> None:
    """Draw the dialog for events that were chosen in the list."""
    _draw(hub, user, tuple(event_ids), note="")


@st.dialog("Many events at once", width="medium")
def draw_bulk_of_matches(hub: Hub, user: Actor, filters: EventFilters) -> None:
    """Draw the dialog for all events that match, up to 10,000."""
    with st.spinner("Looking for them …"):
        found = bulk.match(hub, user, filters)
    note = "" if found.is_all else f"More match; these are the newest {MOST_EVENTS:,}."
    _draw(hub, user, found.ids, note=note)


def _draw(hub: Hub, user: Actor, event_ids: tuple[str, ...], *, note: str) -> None:
    st.markdown(f"**{counted(len(event_ids), 'event')}**")
    if note:
        st.caption(note)
    if not event_ids:
        st.info("No event matches any more.", icon=":material/info:")
        return
    action = st.selectbox("What", list(ACTIONS), format_func=ACTIONS.__getitem__, key=_ACTION)
    tag = ""
    if action in ("tag", "untag"):
        tag = st.text_input("Tag", key=_TAG, placeholder="case=4711")
        if not tag:
            return
    try:
        planned = bulk.plan(hub, user, action, event_ids, tag=tag)
    except HubError as error:
        st.warning(error.message, icon=":material/error:")
        return
    _draw_plan(hub, user, planned)
    if planned.count and st.button(
        f"{ACTIONS[action]}: {planned.count:,}", key="activity_bulk_start", type="primary"
    ):
        _carry_out(hub, user, planned)


def _draw_plan(hub: Hub, user: Actor, planned: Plan) -> None:
    if not planned.count:
        st.info("There is nothing to do for these.", icon=":material/info:")
    for name, count in planned.by_destination[:10]:
        st.markdown(f"- {plain(name)}: {count:,}")
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
    _draw_sample(hub, user, planned.event_ids)


def _draw_sample(hub: Hub, user: Actor, event_ids: tuple[str, ...]) -> None:
    rows: list[EventRow] = []
    for event_id in event_ids[:_SAMPLE]:
        rows += list_events(hub, user, EventFilters(search=event_id), limit=1).rows
    st.dataframe(
        [
            {"created_at": row.created_at, "type": row.event_type, "summary": row.summary}
            for row in rows
        ],
        key="activity_bulk_sample",
        hide_index=True,
        alt=f"The first {counted(len(rows), 'event')} of them.",
        column_config={
            "created_at": st.column_config.DatetimeColumn("Time", format="distance"),
            "type": "Type",
            "summary": "Summary",
        },
    )


def _carry_out(hub: Hub, user: Actor, planned: Plan) -> None:
    bar = st.progress(0.0, text="Begun …")
    done = 0
    for done in bulk.carry_out(hub, user, planned):
        bar.progress(min(done / planned.count, 1.0), text=f"{done:,} of {planned.count:,}")
    bar.empty()
    said = "handed to the worker" if planned.action == "replay" else "done"
    st.success(f"{done:,} {said}. Close this to see the list.", icon=":material/check_circle:")
