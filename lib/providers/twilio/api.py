"""Calls to Twilio's REST API: where it is, with which credentials, and what its refusals mean."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lib.errors import ProviderError
from lib.http import VendorAnswer
from lib.providers.actions import ActionCall
from lib.providers.fields import Values
from lib.providers.twilio.errors import explain_code

_HOST = "api.twilio.com"
_DEFAULT_REGION = "us1"
_TOO_MANY = 429
_TOO_MANY_CODE, _QUEUE_FULL = 20429, "21611"
_CODE = re.compile(r"[0-9]{3,7}")

Pairs = Sequence[tuple[str, str]]


def api_url(values: Values, configured: str) -> str:
    """Return where the account's API is, by its edge and region.

    An edge alone stands for the region us1. An address that the operator set for tests or a
    proxy is kept. https://www.twilio.com/docs/global-infrastructure/understanding-edge-locations
    """
    edge, region = values.get("edge"), values.get("region")
    if urlsplit(configured).netloc != _HOST or not (edge or region):
        return configured
    product, _, domain = _HOST.partition(".")
    parts = (product, edge, region or _DEFAULT_REGION, domain)
    return f"https://{'.'.join(part for part in parts if part)}"


@dataclass(frozen=True, repr=False)
class TwilioApi:
    """The resources of one account; the API key is used where there is one."""

    call: ActionCall

    def read(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return a resource below the account; raise ProviderError."""
        answer = self.call.client.request(
            "GET", self._url(path), auth=self._auth(), params=params or {}
        )
        return _object(answer)

    def create(self, path: str, pairs: Pairs) -> dict[str, Any]:
        """Create a resource below the account once; raise ProviderError."""
        answer = self.call.client.request(
            "POST", self._url(path), auth=self._auth(), data=list(pairs)
        )
        return _object(answer)

    def _url(self, path: str) -> str:
        values = self.call.values
        base = api_url(values, self.call.settings.twilio_api_url)
        return f"{base}/2010-04-01/Accounts/{values['account_sid']}/{path}"

    def _auth(self) -> tuple[str, str]:
        values = self.call.values
        if values.get("api_key_sid"):
            return values["api_key_sid"], values["api_key_secret"]
        return values["account_sid"], values["auth_token"]


def _object(answer: VendorAnswer) -> dict[str, Any]:
    if not 200 <= answer.status < 300:
        raise _refusal(answer)
    return answer.json_object()


def _refusal(answer: VendorAnswer) -> ProviderError:
    """Say why Twilio refused.

    A 429 was not processed, by https://www.twilio.com/docs/api/errors/20429, nor was what a
    sender's full queue did not take; a failure with Twilio's own error body was answered by
    the API itself, before anything was queued.
    """
    code = _code_of(answer.text)
    is_busy = answer.status == _TOO_MANY or code in (str(_TOO_MANY_CODE), _QUEUE_FULL)
    is_failing = answer.status >= 500
    return ProviderError(
        _sentence(code or (_TOO_MANY_CODE if is_busy else None), answer.status),
        permanent=not (is_busy or is_failing),
        status=answer.status,
        is_unprocessed=is_busy or (is_failing and code is not None),
        code=code,
        retry_after=answer.headers.get("retry-after"),
    )


def _sentence(code: object, status: int) -> str:
    known = explain_code(code)
    if known is not None:
        return known
    if status >= 500:
        return f"Twilio answered {status}, a fault on its side. Try again later."
    if status in (401, 403):
        return (
            f"Twilio refused the credentials for this ({status}). Test the connection, and give "
            "an API key the permission."
        )
    named = f"error {code}, https://www.twilio.com/docs/errors/{code}" if code else f"{status}"
    return f"Twilio refused this ({named}). Check what you entered, then try again."


def _code_of(text: str) -> str | None:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return None
    code = str(body.get("code", "")) if isinstance(body, dict) else ""
    return code if _CODE.fullmatch(code) else None
