"""Replaying from a screen: the dry run that is shown first, the order, and its progress."""

import streamlit as st

from lib.access import Actor
from lib.errors import HubError
from lib.hub import Hub
from lib.outgoing import replays
from lib.outgoing.delivery_filters import DeliveryFilters
from lib.outgoing.replays import DryRun, ReplayProgress
from lib.quantities import duration
from lib.ui.deliveries.delivery_formats import DELIVERY_LABELS, error_words
from lib.ui.errors import reporting_errors
from lib.ui.formats import counted, plain
from lib.ui.telling import show_told, tell

PARAMETER = "replay"


@st.dialog("Replay", width="medium")
def draw_replay_dialog(hub: Hub, user: Actor, filters: DeliveryFilters) -> None:
    """Draw what a replay would do and the button that orders it."""
    show_told()
    try:
        seen = replays.dry_run(hub, user, filters)
    except HubError as error:
        st.warning(error.message)
        return
    draw_dry_run(seen)
    if not seen.count:
        return
    st.button(
        f"Replay {_deliveries(seen.count)}",
        key="replay_start",
        type="primary",
        icon=":material/replay:",
        on_click=_start,
        args=(hub, user, seen),
    )


def draw_dry_run(seen: DryRun) -> None:
    """Draw the count, the destinations, the newest five, the time it takes and the warnings."""
    if not seen.count:
        st.info("There is nothing to replay here.", icon=":material/info:")
    else:
        _draw_count(seen)
    if seen.replayed_before:
        verb = "was" if seen.replayed_before == 1 else "were"
        st.warning(
            f"{seen.replayed_before:,} of them {verb} replayed before. The other side gets that "
            "once more, under a new id.",
            icon=":material/content_copy:",
        )
    for sentence in seen.left_out:
        st.caption(plain(sentence))


def draw_progress(hub: Hub, user: Actor) -> None:
    """Draw how far the replay of the address is, live until it is done.

    It also shows what the last button said, so a page that replays calls it always.
    """
    show_told()
    replay_id = st.query_params.get(PARAMETER)
    if replay_id is None:
        return
    try:
        found = replays.progress(hub, user, replay_id)
    except HubError as error:
        st.warning(error.message)
        return
    refresh = None if found.is_done else 1
    st.fragment(_draw_state, run_every=refresh)(hub, user, replay_id, is_live=bool(refresh))


def _draw_state(hub: Hub, user: Actor, replay_id: str, *, is_live: bool) -> None:
    with reporting_errors():
        _draw_found(replays.progress(hub, user, replay_id), is_live=is_live)


def _draw_found(found: ReplayProgress, *, is_live: bool) -> None:
    if not found.is_done:
        said = f"{found.made:,} of {_deliveries(found.total)} made; the worker goes on."
        st.progress(found.made / found.total, text=said)
        return
    if is_live:
        # Drawn anew without the timer, and with the new deliveries in the list.
        st.rerun()
    gone = f" {found.gone:,} were removed meanwhile." if found.gone else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.success(
            f"{_deliveries(found.made)} made anew and handed to the worker.{gone}",
            icon=":material/check_circle:",
        )
        st.button("Close", key="replay_close", on_click=_forget)


def _draw_count(seen: DryRun) -> None:
    names = ", ".join(f"{plain(share.name)} ({share.count:,})" for share in seen.destinations[:10])
    more = len(seen.destinations) - 10
    st.markdown(
        f"**{_deliveries(seen.count)}** to {names}" + (f" and {more} more" if more > 0 else "")
    )
    waiting = [share for share in seen.destinations if share.waits]
    if len(waiting) < len(seen.destinations):
        least = max(1.0, seen.estimated_seconds)
        st.caption(f"Takes about {duration(least)} if nothing else waits and all goes well.")
    if waiting:
        names = ", ".join(plain(share.name) for share in waiting[:10])
        st.caption(f"Paused, so they wait until you resume it: {names}")
    if seen.count > 1:
        _draw_sample(seen)


def _draw_sample(seen: DryRun) -> None:
    st.dataframe(
        [
            {
                "created_at": row.created_at,
                "destination": row.destination_name,
                "event_type": row.event_type,
                "status": DELIVERY_LABELS.get(row.status, row.status),
                "error": error_words(row.error_class),
            }
            for row in seen.sample
        ],
        key="replay_sample",
        hide_index=True,
        alt=f"The newest {counted(len(seen.sample), 'row')} of what is replayed.",
        column_config={
            "created_at": st.column_config.DatetimeColumn("Made", format="distance"),
            "destination": "Destination",
            "event_type": "Type",
            "status": "Status",
            "error": "Error",
        },
    )


def _start(hub: Hub, user: Actor, seen: DryRun) -> None:
    def order() -> str:
        found = replays.start(hub, user, seen)
        st.query_params[PARAMETER] = found.id
        return f"{_deliveries(found.total)} ordered."

    if tell(order):
        st.rerun()


def _forget() -> None:
    st.query_params.pop(PARAMETER, None)


def _deliveries(count: int) -> str:
    return f"{count:,} {'delivery' if count == 1 else 'deliveries'}"
