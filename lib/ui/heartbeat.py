"""The worker's sign of life, for the side of every screen."""

import streamlit as st

from lib import overview
from lib.access import Actor
from lib.hub import Hub
from lib.quantities import duration
from lib.ui.formats import ago
from lib.ui.overview.tiles import queue_words


def draw_heartbeat(hub: Hub, actor: Actor) -> None:
    """Draw whether a worker is at work and what waits for it."""
    worker = overview.worker_state(hub)
    if not worker.is_alive:
        seen = f"last seen {ago(worker.beat_at)}" if worker.beat_at else "never seen"
        st.badge(
            f"No worker: {seen}",
            icon=":material/warning:",
            color="red",
            help="Events are received and kept, but wait. Start `python -m lib.worker`.",
        )
        return
    queue = overview.queue(hub, actor)
    oldest, waiting = queue.oldest_seconds, queue.events + queue.deliveries
    waits = "empty" if oldest is None else f"{waiting:,}, oldest {duration(oldest)}"
    st.badge(
        f"Worker: queue {waits}",
        icon=":material/check_circle:",
        color="green",
        help=f"{queue_words(queue)}; last sign of life {ago(worker.beat_at)}.",
    )
