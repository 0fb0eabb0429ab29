"""Asks HighLevel whether a token reaches its location."""

from lib.http import VendorAnswer, VendorClient
from lib.providers.base import CheckResult
from lib.providers.fields import Values
from lib.providers.text import text_at

# Per-API value: https://marketplace.gohighlevel.com/docs/ (Versioning); calls without it get 401.
LOCATIONS_VERSION = "2021-07-28"
_OK, _UNAUTHORIZED, _FORBIDDEN = 200, 401, 403
_REFUSALS = {
    400: "HighLevel could not read the request (400). Check the location id.",
    401: "HighLevel refused the token. Create a Private Integration in the sub-account and enter "
    "its token; a token that was rotated stops working.",
    403: "The token belongs to another location (403). Create the Private Integration in this "
    "location, or correct the location id.",
    404: "HighLevel does not know this location. Copy its id from Settings > Business Profile.",
    422: "HighLevel does not accept the location id. Copy it from Settings > Business Profile.",
}


def check_location(values: Values, api_url: str, *, client: VendorClient) -> CheckResult:
    """Read the location; a 401 about scopes means that the token is alive."""
    token = values.get("private_token")
    if not token:
        return CheckResult(
            "accepted",
            "There is nothing to call without a token; incoming events are verified all the same. "
            "Enter a Private Integration token to send to HighLevel.",
        )
    answer = client.request(
        "GET",
        f"{api_url}/locations/{values['location_id']}",
        headers={
            "Authorization": f"Bearer {token}",
            "Version": LOCATIONS_VERSION,
            "Accept": "application/json",
        },
    )
    answer.raise_if_unavailable("HighLevel")
    if answer.status != _OK:
        return _explain(answer)
    location = answer.json_object().get("location")
    facts = {name: text for name in ("name", "timezone") if (text := text_at(location, name))}
    stated = text_at(location, "id")
    if stated and stated != values["location_id"]:
        return CheckResult("failed", _REFUSALS[_FORBIDDEN])
    name = facts.get("name", "")
    return CheckResult(
        "verified", f"HighLevel knows the location{f' {name}' if name else ''}.", facts
    )


def _explain(answer: VendorAnswer) -> CheckResult:
    """Map the message, for a 401 is not always a bad token."""
    message = text_at(answer.json_object(), "message").lower()
    if answer.status == _UNAUTHORIZED and "not authorized for this scope" in message:
        return CheckResult(
            "accepted",
            "The token works but lacks the scope locations.readonly. Add it to the Private "
            "Integration to let the hub verify the location.",
        )
    if answer.status == _UNAUTHORIZED and ("user type" in message or "authclass" in message):
        return CheckResult(
            "failed",
            "This is an agency token. Create a Private Integration inside the sub-account and "
            "enter its token.",
        )
    if "version" in message:
        return CheckResult(
            "failed", "HighLevel refused the API version. Update the hub, then try again."
        )
    fallback = f"HighLevel answered {answer.status}. Check the location id and the token."
    return CheckResult("failed", _REFUSALS.get(answer.status, fallback))
