"""Problem documents of the API (RFC 9457): a sentence that names the next step."""

from http import HTTPStatus

import orjson
from pydantic import BaseModel, ValidationError
from starlette.responses import Response

from lib.errors import (
    HubError,
    InvalidInput,
    MalformedRequest,
    NotAllowed,
    NotFound,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
    SecretUnreadable,
    StorageUnavailable,
)
from lib.idempotency import StillUnderWay

MEDIA_TYPE = "application/problem+json"
# What Zapier shows of a message: https://docs.zapier.com/platform/build/errors
MOST_CHARACTERS = 250
_RETRY_SECONDS = 30
_VENDOR_RETRY_SECONDS = 60
_SHOWN_NAME = 40
_STATUSES: dict[type[HubError], int] = {
    InvalidInput: 422,
    MalformedRequest: 400,
    NotFound: 404,
    NotAllowed: 403,
    StillUnderWay: 409,
    OutcomeUnknown: 502,
    SecretUnreadable: 503,
    StorageUnavailable: 503,
}


class Refusal(Exception):
    """An answer that is no success; `field` names what of the request is at fault."""

    def __init__(
        self,
        status: int,
        detail: str,
        field: str | None = None,
        *,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.field = field
        self.headers = headers or {}


class Problem(BaseModel):
    """Why a request was not carried out, and what to do next."""

    type: str
    title: str
    status: int
    detail: str
    field: str | None = None


def problem(refusal: Refusal) -> Response:
    """Return the document of a refusal."""
    title = HTTPStatus(refusal.status).phrase
    document = Problem(
        type=f"/api/docs#problem-{refusal.status}",
        title=title,
        status=refusal.status,
        detail=_cut(refusal.detail),
        field=refusal.field,
    )
    body = orjson.dumps(document.model_dump(exclude_none=True))
    return Response(body, refusal.status, refusal.headers, MEDIA_TYPE)


def refusal_of(error: HubError) -> Refusal:
    """Return what a caller hears of an error that a use case raised."""
    if isinstance(error, ProviderError):
        return _refusal_of_vendor(error)
    if isinstance(error, RateLimited):
        wait = {"retry-after": str(max(1, error.retry_after_seconds))}
        return Refusal(429, error.message, headers=wait)
    status = next((_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES), 400)
    waits = {"retry-after": str(_RETRY_SECONDS)} if status == 503 else {}
    if status == 409:
        waits = {"retry-after": "1"}
    named = error.field if isinstance(error, InvalidInput) else None
    return Refusal(status, error.message, named, headers=waits)


def refusal_of_outage() -> Refusal:
    """Return what a caller hears while the database does not answer."""
    return Refusal(
        503,
        "The database does not answer just now. Send the request again shortly.",
        headers={"retry-after": str(_RETRY_SECONDS)},
    )


def refusal_of_shape(error: ValidationError, model: type[BaseModel], where: str) -> Refusal:
    """Return what a caller hears of values that do not fit `model`, of one fault alone.

    `where` is body or query. No value is repeated, for it may be a secret.
    """
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    # A name that was mistyped is missing too, and the mistake is the better hint.
    fault = min(faults, key=lambda each: each["type"] != "extra_forbidden")
    kind, place = fault["type"], ".".join(str(part) for part in fault["loc"])
    name = place[:_SHOWN_NAME]
    if kind == "json_invalid":
        return Refusal(400, "The body is not valid JSON. Look at its commas, quotes and encoding.")
    if not place:
        return Refusal(422, "The body is not an object. Send a JSON object with named fields.")
    if kind == "extra_forbidden":
        known = ", ".join(model.model_fields) or "none"
        said = f"There is no field {name} here. Take it out; there are: {known}."
        if "." in place:
            said = f"There is no field {name} here. Take it out."
    elif kind == "missing":
        said = f"The field {name} is missing. Add it to the {where}."
    else:
        said = f"The field {name} is not right: {fault['msg'].removeprefix('Value error, ')}."
    return Refusal(422, said, place)


def _refusal_of_vendor(error: ProviderError) -> Refusal:
    """Say what the service answered; its 401 is about its own credentials, not the caller's."""
    if error.status == 429:
        wait = {"retry-after": str(_VENDOR_RETRY_SECONDS)}
        return Refusal(429, error.message, headers=wait)
    return Refusal(422 if error.permanent else 502, error.message)


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"
