"""HighLevel's OAuth 2.0 for Marketplace apps.

https://marketplace.gohighlevel.com/docs/Authorization/OAuth2.0: tokens live a day, a refresh
token works once, and an app that was installed for an agency gets a token of the agency.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from lib.errors import ProviderError
from lib.http import VendorAnswer
from lib.providers.authorization import AppCall, Authorization, Tokens
from lib.providers.fields import Values
from lib.providers.gohighlevel.api import read_answer
from lib.providers.gohighlevel.endpoints import LOCATION_TOKEN
from lib.providers.text import clean_text, text_at

_PAGE = "https://marketplace.gohighlevel.com/v2/oauth/chooselocation"
# What the actions and the incoming events of the hub need; oauth.write is for agencies' tokens.
DEFAULT_SCOPES = (
    "locations.readonly contacts.readonly contacts.write conversations.readonly "
    "conversations.write conversations/message.readonly conversations/message.write "
    "calendars.readonly calendars/events.readonly calendars/events.write "
    "opportunities.readonly opportunities.write workflows.readonly"
)
_COMPANY, _LOCATION = "Company", "Location"
# An app may be granted a hundred scopes.
_SCOPE_LENGTH = 6_000
_DAY_SECONDS, _YEAR_SECONDS = 86_399, 31_536_000
_RECONNECT = "Connect again on the integration's page."


class HighLevelAuthorization(Authorization):
    """The authorisation-code grant of a member's own Marketplace app."""

    label = "Connect with HighLevel"
    needs = ("client_id", "client_secret")

    def page_url(self, values: Values, *, redirect_uri: str, state: str) -> str:
        """Return the page on which a location is chosen."""
        query = {
            "response_type": "code",
            "redirect_uri": redirect_uri,
            "client_id": values["client_id"],
            "scope": " ".join((values.get("scopes") or DEFAULT_SCOPES).split()),
            "state": state,
            "loginWindowOpenMode": "self",
        }
        if version_id := values.get("version_id"):
            query["version_id"] = version_id
        return f"{_PAGE}?{urlencode(query)}"

    def exchange(self, code: str, call: AppCall) -> Tokens:
        """Return the tokens of a location or an agency."""
        form = {"grant_type": "authorization_code", "code": code, "user_type": _LOCATION}
        return _ask(form, call)

    def refresh(self, refresh_token: str, call: AppCall, *, is_wide: bool) -> Tokens:
        """Return the next pair."""
        form = {
            "grant_type": "refresh_token",
            "refresh_token": refresh_token,
            "user_type": _COMPANY if is_wide else _LOCATION,
        }
        return _ask(form, call)

    def narrow(self, access_token: str, call: AppCall, *, facts: Mapping[str, str]) -> Tokens:
        """Return the location's token by the agency's one, which needs oauth.write."""
        company = facts.get("company_id") or call.values.get("company_id") or ""
        answer = call.client.request(
            LOCATION_TOKEN.method,
            call.settings.gohighlevel_api_url + LOCATION_TOKEN.path,
            headers={
                "Authorization": f"Bearer {access_token}",
                "Version": LOCATION_TOKEN.version,
                "Accept": "application/json",
            },
            json={"companyId": company, "locationId": call.values["location_id"]},
        )
        scope, version = LOCATION_TOKEN.scope, LOCATION_TOKEN.version
        tokens = _read(read_answer(answer, scope=scope, version=version), call.values)
        if tokens.is_wide:
            raise _wrong_answer(answer.status)
        return tokens


def _ask(form: Mapping[str, str], call: AppCall) -> Tokens:
    """Post to the token endpoint: form fields in snake case, and no Version, which is for v3."""
    answer = call.client.request(
        "POST",
        f"{call.settings.gohighlevel_api_url}/oauth/token",
        headers={"Accept": "application/json"},
        data={
            "client_id": call.values["client_id"],
            "client_secret": call.values["client_secret"],
            "redirect_uri": call.redirect_uri,
            **form,
        },
    )
    answer.raise_if_unavailable("HighLevel")
    if answer.status >= 300:
        raise _refuse(answer)
    body = answer.json_object()
    if not _text_of(body, "refresh_token"):
        raise _wrong_answer(answer.status)
    return _read(body, call.values)


def _read(body: Mapping[str, Any], values: Values) -> Tokens:
    access_token = _text_of(body, "access_token")
    if not access_token:
        raise _wrong_answer(200)
    is_wide = body.get("userType") == _COMPANY
    _check_tenant(body, values, is_wide=is_wide)
    stated = body.get("expires_in")
    seconds = stated if isinstance(stated, int) and 0 < stated < _YEAR_SECONDS else _DAY_SECONDS
    shown = {"user_type": "userType", "company_id": "companyId"}
    facts = {name: text for name, key in shown.items() if (text := text_at(body, key))}
    if scope := clean_text(body.get("scope"), _SCOPE_LENGTH):
        facts["scope"] = scope
    return Tokens(
        access_token=access_token,
        expires_seconds=seconds,
        refresh_token=_text_of(body, "refresh_token") or None,
        is_wide=is_wide,
        facts=facts,
    )


def _check_tenant(body: Mapping[str, Any], values: Values, *, is_wide: bool) -> None:
    """Refuse the tokens of another customer; whoever agreed may have chosen the wrong one."""
    location, company = text_at(body, "locationId"), text_at(body, "companyId")
    if not is_wide and location != values["location_id"]:
        raise ProviderError(
            "Another location was chosen than the one of this integration. Connect again and "
            "choose it, or correct the location id.",
            permanent=True,
            code=Authorization.RECONNECT,
        )
    wanted = values.get("company_id")
    if wanted and company and company != wanted:
        raise ProviderError(
            "The app was installed for another agency than the one of this integration. Connect "
            "again and choose it, or correct the company id.",
            permanent=True,
            code=Authorization.RECONNECT,
        )


def _refuse(answer: VendorAnswer) -> ProviderError:
    try:
        body = answer.json_object()
    except ProviderError:
        body = {}
    error = text_at(body, "error")
    if error == "invalid_client" or answer.status == 401:
        why = "HighLevel refused the app's client id or client secret. Copy both again from the app"
        return _reconnect(f"{why}, then connect again.", answer.status)
    if error == "invalid_grant":
        why = "HighLevel no longer accepts this authorization: it was used, ended or taken back."
        return _reconnect(f"{why} {_RECONNECT}", answer.status)
    return ProviderError(
        f"HighLevel did not authorise the hub ({answer.status}). Check the app's redirect URL "
        f"and scopes. {_RECONNECT}",
        permanent=True,
        status=answer.status,
    )


def _reconnect(message: str, status: int) -> ProviderError:
    return ProviderError(message, permanent=True, status=status, code=Authorization.RECONNECT)


def _wrong_answer(status: int) -> ProviderError:
    return ProviderError(
        "HighLevel's answer held no token. Try again later.", permanent=False, status=status
    )


def _text_of(body: Mapping[str, Any], name: str) -> str:
    """Return a token whole: it may be far longer than what is shown to people."""
    value = body.get(name)
    return value if isinstance(value, str) and value.isprintable() else ""
