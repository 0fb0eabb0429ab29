"""Calls to HighLevel for one location, and what its refusals mean.

A 401 is not always a bad token: the message tells the kinds apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote

from lib.errors import ProviderError
from lib.http import CallOptions, VendorAnswer, VendorClient
from lib.providers.actions import ActionCall
from lib.providers.fields import Values
from lib.providers.gohighlevel.endpoints import Endpoint
from lib.providers.text import clean_text, text_at

_NO_CONTENT, _FORBIDDEN, _NOT_FOUND, _TIMEOUT, _CONFLICT = 204, 403, 404, 408, 409
_TOO_MANY, _SERVER_ERROR = 429, 500
# The 200 beyond which a vendor's own words are no longer a sentence.
_QUOTED = 300


@dataclass(frozen=True)
class _Refusal:
    """What a part of the vendor's message means: our word for it, and a sentence."""

    part: str
    code: str
    sentence: str


_UNAUTHORIZED = (
    _Refusal(
        "not authorized for this scope",
        "missing_scope",
        "The token lacks the scope {scope}. Add it to the Private Integration, or to the app "
        "and connect again, then try again.",
    ),
    _Refusal(
        "user type mismatch",
        "wrong_token_class",
        "This is an agency token. Create a Private Integration inside the sub-account and enter "
        "its token.",
    ),
    _Refusal(
        "authclass",
        "wrong_token_class",
        "This is an agency's authorization, which does not reach into a sub-account. Connect "
        "again and choose the sub-account.",
    ),
    _Refusal(
        "version",
        "bad_version",
        "HighLevel refused the API version {version}. Clear the API version of this integration, "
        "or update the hub.",
    ),
    _Refusal(
        "",
        "bad_token",
        "HighLevel refused the token. Enter a current Private Integration token of the "
        "sub-account, or connect again; a token that was rotated stops working.",
    ),
)
_WRONG_LOCATION = (
    "The token belongs to another location (403). Create the Private Integration in this "
    "location, or correct the location id."
)


@dataclass(frozen=True, repr=False)
class Api:
    """HighLevel's API with the token of one connection.

    An authorization of the app stands before a Private Integration token.
    """

    values: Values
    url: str
    client: VendorClient

    @classmethod
    def of(cls, call: ActionCall) -> Self:
        """Return the API as an action calls it."""
        return cls(call.values, call.settings.gohighlevel_api_url, call.client)

    @property
    def location_id(self) -> str:
        """The one location that the connection is for."""
        return self.values["location_id"]

    @property
    def token(self) -> str | None:
        """The bearer token, if there is one."""
        return self.values.get("oauth_access_token") or self.values.get("private_token")

    def ask(
        self,
        endpoint: Endpoint,
        *,
        ids: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json: Any = None,
    ) -> dict[str, Any]:
        """Call `endpoint` once and return its answer; raise ProviderError.

        `ids` fill the names in the path, `params` the query, `json` is the body.
        """
        if not self.token:
            raise ProviderError(
                "There is no token to call HighLevel with. Enter a Private Integration token, or "
                "connect the app.",
                permanent=True,
                is_unprocessed=True,
                code="no_token",
            )
        version = self.values.get("api_version") or endpoint.version
        options: CallOptions = {
            "headers": {
                "Authorization": f"Bearer {self.token}",
                "Version": version,
                "Accept": "application/json",
            }
        }
        if params is not None:
            options["params"] = params
        if json is not None:
            options["json"] = json
        escaped = {name: quote(value, safe="") for name, value in (ids or {}).items()}
        address = self.url + endpoint.path.format_map(escaped)
        answer = self.client.request(endpoint.method, address, **options)
        return read_answer(answer, scope=endpoint.scope, version=version)


def read_answer(answer: VendorAnswer, *, scope: str, version: str) -> dict[str, Any]:
    """Return the object that HighLevel answered with; raise ProviderError for a refusal.

    The misspelt `succeded` of older versions is also given as `succeeded`.
    """
    if answer.status >= 300:
        raise _refuse(answer, scope=scope, version=version)
    if answer.status == _NO_CONTENT:
        return {}
    body = answer.json_object()
    if "succeded" in body:
        body.setdefault("succeeded", body["succeded"])
    if body.get("succeeded") is False:
        raise ProviderError(
            "HighLevel answered that it did not do it." + _trace(body),
            permanent=True,
            status=answer.status,
            code="not_done",
        )
    return body


def _refuse(answer: VendorAnswer, *, scope: str, version: str) -> ProviderError:
    body = _read_refusal(answer)
    code, sentence = _explain(answer.status, _message(body), scope=scope, version=version)
    is_passing = answer.status in (_TIMEOUT, _CONFLICT, _TOO_MANY) or answer.status >= 500
    return ProviderError(
        sentence + _trace(body),
        permanent=not is_passing,
        status=answer.status,
        # Only these can have come after the deed was done.
        is_unprocessed=answer.status not in (_TIMEOUT, _CONFLICT) and answer.status < _SERVER_ERROR,
        code=code,
        retry_after=answer.headers.get("retry-after"),
    )


def _explain(status: int, message: str, *, scope: str, version: str) -> tuple[str, str]:
    """Return our word for a refusal and a sentence about it."""
    if status == _TOO_MANY:
        return "rate_limited", "HighLevel takes no more requests just now (429). Try again soon."
    if status >= _SERVER_ERROR:
        return "out_of_order", f"HighLevel answered {status}, a fault on its side. Try again later."
    plain = message.lower()
    is_about_version = "api version" in plain or plain.startswith("cannot ")
    if status == 401 or is_about_version:
        kinds = _UNAUTHORIZED if status == 401 else _UNAUTHORIZED[-2:]
        found = next(kind for kind in kinds if kind.part in plain or is_about_version)
        return found.code, found.sentence.format(scope=scope, version=version)
    if status == _FORBIDDEN and "location" in plain:
        return "wrong_location", _WRONG_LOCATION
    if status == _NOT_FOUND:
        return "not_found", "HighLevel does not know this id. Copy it again from HighLevel."
    said = f": {message}" if message else ""
    return "refused", f"HighLevel refused the request ({status}){said}. Correct it and try again."


def _read_refusal(answer: VendorAnswer) -> dict[str, Any]:
    try:
        return answer.json_object()
    except ProviderError:
        # A proxy in front of HighLevel answers in HTML; the status says enough.
        return {}


def _message(body: Mapping[str, Any]) -> str:
    """Return the vendor's own words on one line; of a validation there are many."""
    stated = body.get("message")
    parts = stated if isinstance(stated, list) else [stated]
    texts = [text for part in parts if (text := clean_text(part, _QUOTED))]
    return "; ".join(texts)[:_QUOTED].rstrip(".")


def _trace(body: Mapping[str, Any]) -> str:
    trace = text_at(body, "traceId")
    return f" HighLevel's trace: {trace}." if trace else ""
