"""What else is about the same contact, message or call, and how each event got its way."""

import streamlit as st

from lib.access import Actor
from lib.events.conditions import STORED
from lib.events.figures import EventFigures, figures_of, shown_status
from lib.events.relations import MOST_RELATED, Related, related_events
from lib.hub import Hub
from lib.outgoing.route_reasons import reasons_of_event
from lib.ui.deliveries.delivery_formats import DELIVERY_LABELS
from lib.ui.errors import reporting_errors
from lib.ui.formats import counted, plain, service_label
from lib.ui.links import draw_link
from lib.ui.status_words import status_column, status_of

_WORDS = {
    "phone": "phone",
    "email": "e-mail",
    "contact_id": "contact",
    "sid": "SID",
    "id": "id",
}


def draw_related(hub: Hub, user: Actor, event_id: str) -> None:
    """Draw the newest events that share a contact or an id, over all services."""
    with reporting_errors():
        found = related_events(hub, user, event_id)
        if not found:
            st.caption("No other event shares its contact, message or call.")
            return
        figures = figures_of(hub, user, [each.row.id for each in found])
        chosen = st.dataframe(
            [_table_row(each, figures.get(each.row.id)) for each in found],
            key="activity_related",
            hide_index=True,
            on_select="rerun",
            selection_mode="single-row",
            alt=f"{counted(len(found), 'event')} about the same contact, message or call.",
            column_config={
                "created_at": st.column_config.DatetimeColumn("Time", format="distance"),
                "service": "Service",
                "type": "Type",
                "summary": st.column_config.TextColumn("What", width="large"),
                "shares": "Same",
                "status": status_column((*STORED, *DELIVERY_LABELS), width=104),
            },
        )
        if chosen.selection.rows:
            query = {"event": found[chosen.selection.rows[0]].row.id}
            draw_link("activity", "Open it", query=query, icon=":material/open_in_new:")
        if len(found) == MOST_RELATED:
            st.caption(f"These are the newest {MOST_RELATED}.")


def _table_row(found: Related, figures: EventFigures | None) -> dict[str, object]:
    row = found.row
    return {
        "created_at": row.created_at,
        "service": service_label(row.service_name),
        "type": row.event_type,
        "summary": row.summary,
        "shares": ", ".join(_WORDS.get(kind, kind) for kind in found.shared),
        "status": [status_of(shown_status(row.status, figures)).label],
    }


def route_lines(hub: Hub, user: Actor, event_id: str) -> list[str]:
    """Return for each route, as Markdown, why it does not take the event, or that it does."""
    lines = []
    for each in reasons_of_event(hub, user, event_id):
        name = f"**{plain(each.name)}** to {plain(each.destination_name)}"
        said = f"not taken, for {plain(each.reason)}" if each.reason else "takes it"
        lines.append(f"{name}: {said}")
    return lines
