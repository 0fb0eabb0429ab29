"""The exception map: what a sender hears, in neutral words (RFC 9457).

A sender that could not prove itself learns nothing of why; the reason is on the Rejected
screen.
"""

import json
from http import HTTPStatus

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ExceptionHandler

from lib.errors import (
    HubError,
    MalformedRequest,
    NotFound,
    SecretUnreadable,
    SignatureError,
    StorageUnavailable,
)
from lib.providers.registry import find_provider
from webhook_receiver.api import problems as api
from webhook_receiver.requests import BodyTooLarge
from webhook_receiver.webhooks import MethodNotAllowed

log = structlog.get_logger()

RETRY_AFTER_SECONDS = 30


def problem(status: int, detail: str, **headers: str) -> Response:
    """Return a problem document with `detail` for people."""
    document = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return Response(
        json.dumps(document),
        status,
        {"content-type": "application/problem+json", **headers},
    )


async def _not_found(_request: Request, _error: Exception) -> Response:
    return problem(404, "There is no such address. Copy it again from the integration.")


async def _refused(request: Request, _error: Exception) -> Response:
    provider = find_provider(request.path_params["service"])
    status = provider.refused_status if provider else 401
    return problem(status, "The request was not verified. The hub's Rejected screen says why.")


async def _malformed(_request: Request, error: Exception) -> Response:
    return problem(400, error.message if isinstance(error, HubError) else "Bad request.")


async def _too_large(_request: Request, _error: Exception) -> Response:
    return problem(413, "The body is larger than this hub takes. Send less.")


async def _unavailable(request: Request, error: Exception) -> Response:
    provider = find_provider(request.path_params["service"])
    status = provider.unavailable_status if provider else 503
    log.error("not_stored", why=error.message if isinstance(error, HubError) else "")
    detail = "The request could not be stored. Send it again."
    return problem(status, detail, **{"retry-after": str(RETRY_AFTER_SECONDS)})


async def _wrong_method(_request: Request, error: Exception) -> Response:
    allowed = error.allowed if isinstance(error, MethodNotAllowed) else ()
    detail = "This address takes webhooks. Paste it at the provider instead of opening it."
    return problem(405, detail, allow=", ".join(sorted(allowed)))


async def _hung_up(_request: Request, _error: Exception) -> Response:
    return problem(400, "The connection ended before the whole body arrived.")


async def _no_route(_request: Request, error: Exception) -> Response:
    """Answer what no route takes, such as a path with a line break, as the API would."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    detail = "There is no such address. Look at GET /api/openapi.json for those that there are."
    if status == 405:
        detail = "This address does not take this method. Look at GET /api/openapi.json."
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    return api.problem(api.Refusal(status, detail, headers=headers))


async def _failed(_request: Request, _error: Exception) -> Response:
    # Starlette raises it again after the answer, so the server logs the traceback.
    detail = "Something went wrong on the hub's side; its log says what. Try again later."
    return problem(500, detail)


EXCEPTION_MAP: dict[type[Exception], ExceptionHandler] = {
    NotFound: _not_found,
    SignatureError: _refused,
    MalformedRequest: _malformed,
    BodyTooLarge: _too_large,
    StorageUnavailable: _unavailable,
    SecretUnreadable: _unavailable,
    MethodNotAllowed: _wrong_method,
    ClientDisconnect: _hung_up,
    HTTPException: _no_route,
    Exception: _failed,
}
