"""The four figures on top of the first screen."""

from collections.abc import Sequence

import streamlit as st

from lib.overview import Queue, Tiles
from lib.overview_queries import MOST_COUNTED
from lib.quantities import duration
from lib.ui.formats import counted, share_text

# Two side by side fit on a phone.
_TILE_WIDTH = 150


def draw_tiles(found: Tiles) -> None:
    """Draw what came in, what arrived, what fails and what waits."""
    with st.grid(4, min_column_width=_TILE_WIDTH):
        _draw_flow(
            "Received, 24 h",
            found.hourly_received,
            note=f"{found.rejected:,} rejected",
            help_text="Events by hour; rejected requests are not among them.",
        )
        _draw_flow(
            "Delivered, 24 h",
            found.delivered.hourly,
            note=_first_attempts(found),
            help_text="Deliveries by hour, and which part of the first attempts succeeded.",
        )
        _draw_now(
            "Failing now",
            f"{found.failed + found.dead:,}",
            note=_failing(found),
            is_bad=found.failed + found.dead > 0,
            help_text="Failed events that are not marked as resolved, and dead letters of open "
            "issues. The list under All that fails now has what is being retried too.",
        )
        oldest = found.queue.oldest_seconds
        _draw_now(
            "Oldest pending",
            "none" if oldest is None else duration(oldest),
            note=queue_words(found.queue),
            help_text="How long the first event or delivery that is due has been waiting.",
        )


def queue_words(queue: Queue) -> str:
    """Return what waits for the worker, such as "2 events, 31 deliveries waiting"."""
    more = "+" if queue.deliveries >= MOST_COUNTED else ""
    noun = "delivery" if queue.deliveries == 1 else "deliveries"
    parts = [counted(queue.events, "event")] if queue.events or not queue.deliveries else []
    parts += [f"{queue.deliveries:,}{more} {noun}"] if queue.deliveries else []
    return f"{', '.join(parts)} waiting"


def _draw_flow(label: str, hourly: Sequence[int], *, note: str, help_text: str) -> None:
    st.metric(
        label,
        f"{sum(hourly):,}",
        delta=note,
        delta_arrow="off",
        delta_color="off",
        border=True,
        height="stretch",
        chart_data=list(hourly),
        chart_type="bar",
        help=help_text,
    )


def _draw_now(label: str, value: str, *, note: str, help_text: str, is_bad: bool = False) -> None:
    st.metric(
        label,
        value,
        delta=note,
        delta_arrow="off",
        delta_color="red" if is_bad else "off",
        border=True,
        height="stretch",
        help=help_text,
    )


def _first_attempts(found: Tiles) -> str:
    share = found.delivered.first_attempt_share
    return "nothing sent" if share is None else f"{share_text(share)} at first attempt"


def _failing(found: Tiles) -> str:
    if not found.failed + found.dead:
        return "all dealt with"
    parts = [
        counted(found.failed, "event") if found.failed else "",
        counted(found.dead, "dead letter") if found.dead else "",
    ]
    return ", ".join(part for part in parts if part)
