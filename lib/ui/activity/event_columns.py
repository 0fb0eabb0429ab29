"""The columns of the activity list: what each shows, and which of them are shown."""

from typing import Any

import streamlit as st

from lib.events.conditions import STORED
from lib.events.figures import EventFigures, shown_status
from lib.events.reading import EventRow
from lib.ui.address_fields import kept, some_of
from lib.ui.deliveries.delivery_formats import DELIVERY_LABELS
from lib.ui.formats import exact_column, service_label
from lib.ui.status_words import status_column, status_of

_NAMES = {
    "Exact time": "at",
    "Service": "service",
    "Type": "event_type",
    "About": "subject",
    "Summary": "summary",
    "Arrived": "arrived",
    "Tries": "tries",
    "Answer": "answer",
    "Latency": "latency",
    "Destination": "destination",
    "Integration": "integration",
    "Id": "id",
}
_USUAL = ("Service", "Type", "About", "Summary", "Arrived", "Answer", "Latency", "Id")
_ALWAYS = ("created_at", "status")


def draw_column_picker() -> list[str]:
    """Draw the choice of columns, which the address keeps, and return their names in order."""
    with st.popover("Columns", icon=":material/view_column:", type="tertiary"):
        chosen = st.multiselect(
            "Columns", list(_NAMES), **kept("activity", "cols", some_of(_NAMES), empty=list(_USUAL))
        )
    return [*_ALWAYS, *(_NAMES[name] for name in chosen)]


def table_row(row: EventRow, figures: EventFigures | None, subject: str) -> dict[str, object]:
    """Return all cells of one event."""
    return {
        "created_at": row.created_at,
        "at": row.created_at,
        "status": [status_of(shown_status(row.status, figures)).label],
        "service": service_label(row.service_name),
        "event_type": row.event_type,
        "subject": subject,
        "summary": row.summary,
        "arrived": f"{figures.arrived} of {figures.total}" if figures else "",
        "tries": figures.attempts if figures else None,
        "answer": figures.last_answer if figures else None,
        "latency": figures.seconds if figures else None,
        "destination": ", ".join(figures.destinations) if figures else "",
        "integration": row.integration_name,
        "id": row.id,
    }


def column_config() -> dict[str, Any]:
    """Return how each column is shown."""
    return {**_CONFIG, "at": exact_column()}


_CONFIG: dict[str, Any] = {
    "created_at": st.column_config.DatetimeColumn("Time", format="distance", width=108),
    "status": status_column((*STORED, *DELIVERY_LABELS), width=104),
    "service": st.column_config.TextColumn("Service", width=100),
    "event_type": st.column_config.TextColumn("Type", width=150),
    "subject": st.column_config.TextColumn("About", width=130),
    "summary": st.column_config.TextColumn("Summary", width=250),
    "arrived": st.column_config.TextColumn(
        "Arrived", width=76, help="How many of its deliveries have arrived."
    ),
    "tries": st.column_config.NumberColumn("Tries", width=60),
    "answer": st.column_config.NumberColumn("Answer", format="%d", width=72),
    "latency": st.column_config.NumberColumn(
        "Latency",
        format="%.1f s",
        width=84,
        help="From making a delivery to its arrival; of several the slowest.",
    ),
    "destination": st.column_config.TextColumn("Destination", width=140),
    "integration": st.column_config.TextColumn("Integration", width=120),
    "id": st.column_config.TextColumn("Id", width="medium"),
}
