"""Asks Make's API whether a token works on its zone and for its team."""

from lib.http import VendorAnswer, VendorClient
from lib.providers.base import CheckResult
from lib.providers.fields import Values
from lib.settings import Settings

_OK, _UNAUTHORIZED, _FORBIDDEN = 200, 401, 403


def check_token(values: Values, settings: Settings, *, client: VendorClient) -> CheckResult:
    """Read the token's scopes, then the team's scenarios.

    A token may answer for its user on several zones while the team's data lives on one, so only
    the second call proves the zone.
    """
    zone = values.get("zone")
    if settings.make_api_url is None and not zone:
        return CheckResult(
            "failed", "The API token needs its zone. Enter the first part of your Make address."
        )
    base = f"{settings.make_api_url or f'https://{zone}.make.com'}/api/v2"
    answer = _get(client, f"{base}/users/me/current-authorization", values=values)
    if answer.status != _OK:
        return _explain(answer)
    authorization = answer.json_object().get("authorization")
    scopes = authorization.get("scope") if isinstance(authorization, dict) else None
    if isinstance(scopes, list) and "scenarios:read" not in scopes:
        return CheckResult(
            "accepted",
            "The API token works but lacks the scope scenarios:read. Add it to let the hub see "
            "the team's scenarios.",
        )
    if not values.get("team_id"):
        return CheckResult(
            "accepted", "The API token works. Enter the team id to prove that the zone is right."
        )
    answer = _get(client, f"{base}/scenarios", values=values, params={"teamId": values["team_id"]})
    if answer.status != _OK:
        return _explain(answer)
    answer.json()
    return CheckResult("verified", "Make accepts the API token for this zone and team.")


def _get(
    client: VendorClient, url: str, *, values: Values, params: dict[str, str] | None = None
) -> VendorAnswer:
    headers = {"Authorization": f"Token {values['api_token']}"}
    answer = client.request("GET", url, headers=headers, params=params or {})
    answer.raise_if_unavailable("Make")
    return answer


def _explain(answer: VendorAnswer) -> CheckResult:
    if answer.status == _UNAUTHORIZED:
        message = "Make refused the API token. Make a new one in your profile and enter it here."
    elif answer.status == _FORBIDDEN:
        message = (
            "Make refused the team's data (403). Check that the zone and the team id are yours "
            "and that the token has scenarios:read."
        )
    else:
        message = f"Make answered {answer.status}. Check the zone and the team id."
    return CheckResult("failed", message)
