"""Reading a request of the API: its token, its query, its body, each refused in words."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson
from pydantic import BaseModel, ValidationError

from webhook_receiver.api.operations import Operation
from webhook_receiver.api.problems import Refusal, refusal_of_shape

_MOST_QUERY_FIELDS = 50
_MOST_TOKEN = 200


def read_token(headers: Mapping[str, str]) -> str:
    """Return the bearer token, or the one in X-API-Key; raise Refusal(401) without one.

    Zapier and Make let their users choose either header.
    """
    scheme, _, given = headers.get("authorization", "").partition(" ")
    token = given.strip() if scheme.lower() == "bearer" else ""
    token = token or headers.get("x-api-key", "").strip()
    if not token:
        raise unauthorized("Send a token as `Authorization: Bearer hub_…`. Make one on Account.")
    if len(token) > _MOST_TOKEN:
        raise unauthorized("This is not a token of this hub. Make one on the Account screen.")
    return token


def unauthorized(detail: str, *, error: str = "") -> Refusal:
    """Return the refusal of a caller who is not known (RFC 6750)."""
    challenge = 'Bearer realm="Members Hub"' + (f', error="{error}"' if error else "")
    return Refusal(401, detail, headers={"www-authenticate": challenge})


def read_query(model: type[BaseModel] | None, query: str) -> BaseModel | None:
    """Return the checked query; what is blank counts as left out. Raises Refusal."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_QUERY_FIELDS)
    except ValueError:
        raise Refusal(422, "The query has too many parameters. Send fewer.") from None
    given = {name: value for name, value in pairs if value}
    for name, value in given.items():
        _refuse_nul(value, name)
    if model is None:
        return None
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise refusal_of_shape(error, model, "query") from None


def check_media_type(headers: Mapping[str, str]) -> None:
    """Raise Refusal(415) for a body that is declared as something else than JSON."""
    stated = headers.get("content-type", "").partition(";")[0].strip().lower()
    if stated and stated != "application/json" and not stated.endswith("+json"):
        raise Refusal(415, "Send the body as JSON, with `Content-Type: application/json`.")


def read_document(operation: Operation, body: bytes) -> BaseModel | None:
    """Return the checked body of an operation that takes one; raise Refusal."""
    model = operation.body
    if model is None:
        return None
    if not body.strip():
        raise Refusal(400, "The body is missing. Send a JSON object.")
    try:
        document = model.model_validate_json(body)
    except ValidationError as error:
        raise refusal_of_shape(error, model, "body") from None
    if b"\\u0000" in body:
        # The data of an event is kept as bytes; everything else goes into texts.
        for name in type(document).model_fields:
            if name != "data":
                _refuse_nul(getattr(document, name), name)
    return document


def encode(document: Any) -> bytes:
    """Return JSON values as JSON, whatever odd values a sender's payload holds."""
    try:
        return orjson.dumps(document)
    except TypeError:
        # orjson refuses integers over 64 bits and lone surrogates.
        plain = json.loads(json.dumps(document), parse_constant=lambda _name: None)
        return json.dumps(plain).encode()


def _refuse_nul(value: Any, name: str) -> None:
    """Refuse the one character that PostgreSQL does not store in a text."""
    if isinstance(value, str) and "\x00" in value:
        raise Refusal(422, f"The field {name[:40]} holds a NUL character. Take it out.", name)
    if isinstance(value, BaseModel):
        value = value.model_dump()
    if isinstance(value, dict):
        for key, item in value.items():
            _refuse_nul(key, name)
            _refuse_nul(item, name)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_nul(item, name)
