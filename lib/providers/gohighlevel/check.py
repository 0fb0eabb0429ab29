"""Asks HighLevel whether a token reaches its location."""

from lib.errors import ProviderError
from lib.http import VendorClient
from lib.providers.base import CheckResult
from lib.providers.fields import Values
from lib.providers.gohighlevel.api import Api
from lib.providers.gohighlevel.endpoints import GET_LOCATION
from lib.providers.text import text_at

_NO_SUCH_LOCATION = (
    "HighLevel does not know this location. Copy its id from Settings > Business Profile."
)
_ANOTHER_LOCATION = "The token belongs to another location. Correct the location id or the token."


def check_location(values: Values, api_url: str, *, client: VendorClient) -> CheckResult:
    """Read the location; a 401 about scopes means that the token is alive."""
    api = Api(values, api_url, client)
    if not api.token:
        return CheckResult(
            "accepted",
            "There is nothing to call without a token; incoming events are verified all the same. "
            "Enter a Private Integration token, or connect the app, to send to HighLevel.",
        )
    try:
        answer = api.ask(GET_LOCATION, ids={"location_id": api.location_id})
    except ProviderError as error:
        return _explain(error)
    location = answer.get("location")
    facts = {name: text for name in ("name", "timezone") if (text := text_at(location, name))}
    stated = text_at(location, "id")
    if stated and stated != api.location_id:
        return CheckResult("failed", _ANOTHER_LOCATION)
    name = facts.get("name", "")
    return CheckResult(
        "verified", f"HighLevel knows the location{f' {name}' if name else ''}.", facts
    )


def _explain(error: ProviderError) -> CheckResult:
    if not error.permanent:
        raise error
    if error.code == "missing_scope":
        return CheckResult(
            "accepted",
            "The token works but lacks the scope locations.readonly. Add it to the Private "
            "Integration, or to the app, to let the hub verify the location.",
            {"scopes missing": "locations.readonly"},
        )
    if error.code in ("not_found", "refused"):
        return CheckResult("failed", _NO_SUCH_LOCATION)
    return CheckResult("failed", error.message)
