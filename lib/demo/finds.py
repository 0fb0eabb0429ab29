"""What people and the hub itself would have made of the demo's traffic by now."""

from lib.access import Actor
from lib.alerts.detection import Detection
from lib.connections import status_pages
from lib.connections.integrations import Issued
from lib.events import tags
from lib.events.queries import EventFilters
from lib.events.reading import list_events
from lib.hub import Hub
from lib.laboratory import endpoints
from lib.laboratory.endpoints import Behaviour
from lib.lists import saved_views

_TAGGED = 6


def add_finds(hub: Hub, member: Actor, issued: dict[str, Issued]) -> None:
    """Add tags, a saved view, a status page, a test address and the alerts that are due."""
    number = issued["twilio"].integration.id
    replies = list_events(hub, member, EventFilters(integration_id=number), limit=_TAGGED).rows
    tags.add_tag(hub, member, [row.id for row in replies], "campaign=demo")
    saved_views.save_view(
        hub, member, page="activity", name="Campaign (demo)", query="tag=campaign%3Ddemo"
    )
    status_pages.open_page(hub, member, number)
    endpoints.add(hub, member, kind="bin", name="Bin (demo)")
    endpoints.add(
        hub, member, kind="chaos", name="Fails now and then (demo)", behaviour=Behaviour()
    )
    Detection(hub).look()
