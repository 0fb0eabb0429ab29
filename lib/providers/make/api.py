"""Make's API: where it is, what its refusals mean, and whether a token works for its team."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.errors import InvalidInput, ProviderError
from lib.http import CallOptions, VendorAnswer, VendorClient
from lib.providers.actions import ActionCall
from lib.providers.base import CheckResult
from lib.providers.fields import Values
from lib.providers.text import clean_text
from lib.settings import Settings

_USED_SCOPES = ("scenarios:read", "scenarios:run", "scenarios:write", "hooks:read")
_OK, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_MANY = 200, 401, 403, 404, 429


def base_url(values: Values, settings: Settings) -> str:
    """Return the API's address by the zone; raise InvalidInput where there is none."""
    zone = values.get("zone")
    if settings.make_api_url is None and not zone:
        raise InvalidInput(
            "The API token needs its zone. Enter the first part of your Make address.",
            field="zone",
        )
    return f"{settings.make_api_url or f'https://{zone}.make.com'}/api/v2"


@dataclass(frozen=True, repr=False)
class MakeApi:
    """The API with the token of one integration; each call names the scope that it needs."""

    call: ActionCall

    def get(self, path: str, params: Mapping[str, str], *, scope: str) -> dict[str, Any]:
        """Return what is there; raise ProviderError."""
        return self._ask("GET", path, {"params": params}, scope=scope)

    def post(
        self, path: str, body: Any, *, scope: str, read_seconds: float | None = None
    ) -> dict[str, Any]:
        """Do it once and return the answer; raise ProviderError."""
        options: CallOptions = {} if body is None else {"json": body}
        if read_seconds is not None:
            options["read_seconds"] = read_seconds
        return self._ask("POST", path, options, scope=scope)

    def _ask(self, method: str, path: str, options: CallOptions, *, scope: str) -> dict[str, Any]:
        values = self.call.values
        token = values.get("api_token")
        if not token:
            raise InvalidInput(
                "The integration has no API token. Enter it in its settings.", field="api_token"
            )
        options["headers"] = {"Authorization": f"Token {token}"}
        url = f"{base_url(values, self.call.settings)}/{path}"
        answer = self.call.client.request(method, url, **options)
        if 200 <= answer.status < 300:
            return answer.json_object()
        raise _refusal(answer, scope, zone=values.get("zone", ""))


def check_token(values: Values, settings: Settings, *, client: VendorClient) -> CheckResult:
    """Read the token's scopes, then the team's scenarios.

    A token may answer for its user on several zones while the team's data lives on one, so only
    the second call proves the zone.
    """
    try:
        base = base_url(values, settings)
    except InvalidInput as error:
        return CheckResult("failed", error.message)
    answer = _get(client, f"{base}/users/me/current-authorization", values=values)
    if answer.status != _OK:
        return _explain(answer)
    authorization = answer.json_object().get("authorization")
    scopes = authorization.get("scope") if isinstance(authorization, dict) else None
    facts = _scope_facts(scopes) if isinstance(scopes, list) else {}
    if isinstance(scopes, list) and "scenarios:read" not in scopes:
        return CheckResult(
            "accepted",
            "The API token works but lacks the scope scenarios:read. Add it to let the hub see "
            "the team's scenarios.",
            facts,
        )
    if not values.get("team_id"):
        return CheckResult(
            "accepted",
            "The API token works. Enter the team id to prove that the zone is right.",
            facts,
        )
    answer = _get(client, f"{base}/scenarios", values=values, params={"teamId": values["team_id"]})
    if answer.status != _OK:
        return _explain(answer)
    answer.json()
    return CheckResult("verified", "Make accepts the API token for this zone and team.", facts)


def _scope_facts(scopes: list[Any]) -> dict[str, str]:
    """Return which of the scopes that the hub's actions use a token has, and lacks."""
    parts = {
        "scopes found": [scope for scope in _USED_SCOPES if scope in scopes],
        "scopes missing": [scope for scope in _USED_SCOPES if scope not in scopes],
    }
    return {label: ", ".join(part) for label, part in parts.items() if part}


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


def _refusal(answer: VendorAnswer, scope: str, *, zone: str) -> ProviderError:
    status = answer.status
    code, detail = _read_problem(answer.text)
    where = f" than {zone}" if zone else ""
    sentences = {
        _UNAUTHORIZED: "Make refused the API token. Make a new one in your profile and enter it "
        "in the integration's settings.",
        _FORBIDDEN: f"Make refused this (403): the token lacks the scope {scope}, or the team or "
        f"scenario lives in another zone{where}. A token works in its own zone only.",
        _NOT_FOUND: "Make knows no such scenario or hook in this zone. Check its number.",
        _TOO_MANY: "Make takes no more requests of this organisation just now. Try again in a "
        "minute.",
    }
    message = sentences.get(status)
    if message is None and status < 500:
        message = f"Make refused this ({code or status}). {detail or 'Check the inputs.'}"
    return ProviderError(
        message or f"Make answered {status}, a fault on its side. Try again later.",
        permanent=status != _TOO_MANY and status < 500,
        status=status,
        is_unprocessed=status == _TOO_MANY,
        code=code,
    )


def _read_problem(text: str) -> tuple[str | None, str | None]:
    """Return code and detail of an error, whatever came."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return None, None
    if not isinstance(body, dict):
        return None, None
    return clean_text(body.get("code"), 20), clean_text(body.get("detail"), 200)
