"""Reading bodies: forms, JSON and text, as people, filters and mappings see them."""

import json
from typing import Any
from urllib.parse import parse_qsl

import orjson

from lib.errors import MalformedRequest
from lib.providers.sending import FORM_TYPE

# Far above any vendor's form; a body of a million "&" would hold the receiver for seconds.
MAX_FORM_FIELDS = 5000


def read_form(body: bytes) -> list[tuple[str, str]]:
    """Return the fields of a form body in their order, blank ones included.

    Raises MalformedRequest for one with thousands of fields.
    """
    try:
        return parse_qsl(
            body.decode("utf-8", "replace"),
            keep_blank_values=True,
            max_num_fields=MAX_FORM_FIELDS,
        )
    except ValueError as error:
        raise MalformedRequest(
            f"The form has more than {MAX_FORM_FIELDS} fields. Send fewer fields, or JSON."
        ) from error


def read_json(body: bytes) -> Any:
    """Return the parsed body; raise MalformedRequest when it is not JSON in UTF-8."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        # It is stricter than some senders are (NaN, lone surrogates); they are taken too.
        pass
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedRequest(
            "The body is not valid JSON. Look at the sender's body template and send it again."
        ) from error


def decode_payload(content_type: str, body: bytes) -> Any:
    """Return a stored body as people and mappings see it, whatever it is.

    A form becomes an object, a repeated field a list; text that is not JSON becomes
    `{"value": text}`, as Make shows it.
    """
    try:
        return join_fields(read_form(body)) if content_type == FORM_TYPE else read_json(body)
    except MalformedRequest:
        return {"value": body.decode("utf-8", "replace")}


def join_fields(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Return form fields as an object; a repeated name becomes a list."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {name: found[0] if len(found) == 1 else found for name, found in values.items()}
