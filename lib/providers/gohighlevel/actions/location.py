"""The location itself."""

from typing import Any

from lib.providers.actions import Action, ActionCall
from lib.providers.gohighlevel import endpoints
from lib.providers.gohighlevel.actions.calendars import NoInput
from lib.providers.gohighlevel.api import Api


class GetLocation(Action):
    """Reads the location that the connection is for."""

    name = "get_location"
    label = "Get the location"
    help = "Reads name, time zone and address of the location."
    effect = "read"
    input = NoInput

    def run(self, given: NoInput, call: ActionCall) -> Any:
        """Return `location`."""
        api = Api.of(call)
        return api.ask(endpoints.GET_LOCATION, ids={"location_id": api.location_id})
