"""What a route can be tried on: the last events of its integration, and kept samples."""

from lib.access import Actor
from lib.connections import integrations
from lib.events.reading import EventFilters, list_events
from lib.events.samples import list_saved
from lib.hub import Hub
from lib.ui.formats import ago

_EVENTS = 50


def event_choices(hub: Hub, user: Actor, integration_id: str) -> dict[str, str]:
    """Return a label by the id of each event, the newest first, then of each sample."""
    rows = list_events(hub, user, EventFilters(integration_id=integration_id), limit=_EVENTS).rows
    service = integrations.get(hub, user, integration_id).service_name
    return {
        **{row.id: f"{row.event_type}, {ago(row.created_at)} ({row.id[-6:]})" for row in rows},
        **{
            each.id: f"Sample: {each.name} ({each.event_type})"
            for each in list_saved(hub, user, service_name=service)
        },
    }
