"""The OpenAPI 3.1 document, made from the operations and their models.

Its library is loaded by the first reader: a receiver that nobody asks needs none of it.
"""

import re
from typing import Any

from openapi_pydantic import OpenAPI
from openapi_pydantic.util import PydanticSchema, construct_open_api_with_schema_class
from pydantic import BaseModel

from lib.people.api_tokens import SCOPES
from lib.settings import Settings
from webhook_receiver.api.catalog import CATALOG
from webhook_receiver.api.operations import Operation
from webhook_receiver.api.problems import MEDIA_TYPE, Problem
from webhook_receiver.api.serving import JSON

_ABOUT = (
    "Everything that the dashboard does, for programs. Send a token as `Authorization: Bearer "
    "hub_…` or as `X-API-Key`; make one on the Account screen. Lists are arrays, newest first, "
    'with `Link: <…>; rel="next"` where there is more. Errors are problem documents (RFC 9457) '
    "whose `detail` names the next step. A token of staff reaches what belongs to other members "
    "only with the scope `admin`; without it, its user's own alone. Senders of webhooks post to "
    "`/api/webhooks/{service}/{token}`, the address that is shown with each integration."
)
_PROBLEMS = {
    400: "The body is missing, cut off or not JSON.",
    401: "The token is missing, unknown, expired or revoked.",
    403: "The token lacks the scope, or the user's role does not reach this.",
    404: "There is no such thing, or not for this user.",
    409: "The first request with this Idempotency-Key is still under way.",
    413: "The body is too large.",
    415: "The body is not declared as JSON.",
    422: "A value is refused; `field` names it.",
    429: "Too many requests; Retry-After says in how many seconds the next may come.",
    502: "The service did not do what it was asked, or nobody knows; `detail` says which.",
    503: "The database does not answer; Retry-After says when to try again.",
}
_ALWAYS = (401, 403, 404, 413, 422, 429, 503)
_PARAMETER = re.compile(r"{(\w+)}")
_KEY_HELP = (
    "A UUID or the like. The same request under the same key happens once: within 24 hours it "
    "gets the first answer again, with `Idempotency-Replayed: true`. A failure frees the key, "
    "unless a message or a call may have gone out all the same: then the 502 is kept."
)


def build_document(settings: Settings) -> dict[str, Any]:
    """Return the document as JSON values."""
    paths: dict[str, dict[str, Any]] = {}
    for noun, operations in CATALOG.items():
        for operation in operations:
            entry = paths.setdefault(operation.path, {})
            entry[operation.method.lower()] = _describe(operation, noun)
    document = OpenAPI.model_validate(
        {
            "openapi": "3.1.0",
            "info": {"title": "Members Hub", "version": "1", "description": _ABOUT},
            "servers": [{"url": settings.public_url}],
            "tags": [{"name": noun} for noun in CATALOG],
            "paths": paths,
            "components": {
                "securitySchemes": {
                    "bearer": {"type": "http", "scheme": "bearer"},
                    "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                }
            },
            "security": [{"bearer": []}, {"api_key": []}],
        }
    )
    whole = construct_open_api_with_schema_class(document)
    dumped: dict[str, Any] = whole.model_dump(
        mode="json", by_alias=True, exclude_none=True, exclude_unset=True
    )
    return dumped


def _describe(operation: Operation, noun: str) -> dict[str, Any]:
    scope = operation.scope
    needs = "Any token may." if scope is None else f"Needs the scope `{scope}`: {SCOPES[scope]}."
    described: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [noun],
        "summary": operation.summary,
        "description": f"{operation.note} {needs}".strip(),
        "parameters": [*_path_parameters(operation), *_query_parameters(operation)],
        "responses": _responses(operation),
    }
    if operation.creates:
        described["parameters"].append(_key_parameter())
    if operation.body is not None:
        described["requestBody"] = _body(operation, operation.body)
    return described


def _body(operation: Operation, model: type[BaseModel]) -> dict[str, Any]:
    if not operation.bodies:
        return {"required": True, "content": _content(JSON, model)}
    shapes = sorted({*operation.bodies.values()}, key=lambda shape: shape.__name__)
    schema: dict[str, Any] = {"anyOf": [PydanticSchema(schema_class=shape) for shape in shapes]}
    uses = [f"- {use}: `{shape.__name__}`" for use, shape in operation.bodies.items()]
    return {
        "required": True,
        "description": "\n".join(uses),
        "content": {JSON: {"schema": schema}},
    }


def _path_parameters(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(operation.path)
    ]


def _query_parameters(operation: Operation) -> list[dict[str, Any]]:
    if operation.query is None:
        return []
    found = []
    for name, schema in operation.query.model_json_schema()["properties"].items():
        # Left out is not null: a query holds texts.
        kinds = [kind for kind in schema.pop("anyOf", []) if kind.get("type") != "null"]
        about = schema.pop("description", None) or (kinds[0] if kinds else {}).get("description")
        shape = {**(kinds[0] if kinds else {}), **schema}
        for extra in ("title", "description"):
            shape.pop(extra, None)
        if shape.get("default", "") is None:
            del shape["default"]
        found.append({"name": name, "in": "query", "description": about, "schema": shape})
    return found


def _key_parameter() -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "description": _KEY_HELP,
        "schema": schema,
    }


def _responses(operation: Operation) -> dict[str, Any]:
    answers: dict[int, type[BaseModel] | None] = {
        operation.status: operation.answer,
        **operation.other_answers,
    }
    found: dict[str, Any] = {str(status): _answer(model) for status, model in answers.items()}
    statuses = {*_ALWAYS, *operation.raises}
    if operation.body is not None:
        statuses |= {400, 415}
    if operation.creates:
        statuses.add(409)
    for status in sorted(statuses):
        found[str(status)] = {
            "description": _PROBLEMS[status],
            "content": _content(MEDIA_TYPE, Problem),
        }
        if status in (429, 503):
            header = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
            found[str(status)]["headers"] = {"Retry-After": header}
    return found


def _answer(model: type[BaseModel] | None) -> dict[str, Any]:
    if model is None:
        return {"description": "Done."}
    about = " ".join((model.__doc__ or "").split())
    return {"description": about, "content": _content(JSON, model)}


def _content(media_type: str, model: type[BaseModel]) -> dict[str, Any]:
    return {media_type: {"schema": PydanticSchema(schema_class=model)}}
