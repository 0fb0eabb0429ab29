"""Plays services.leadconnectorhq.com for one location."""

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.trouble import find_trouble
from tests.fakes.vectors import load

LOCATION_ID = "loc0000000000000001"
TOKEN = "pit-good"
_VECTORS = load("ghl_api")
_ANSWERS = {answer["call"]: answer for answer in _VECTORS["answers"]}
_REFUSALS = {
    "pit-noscope": "missing scope",
    "pit-agency": "agency PIT on a sub-account endpoint",
    "pit-elsewhere": "token of another location",
}
_PUBLISHED = ("v3", "2023-02-21", "2021-07-28", "2021-04-15", "2021-01-01")


def make_app() -> Starlette:
    """Return the fake; `app.state.sent` keeps (path, body) of what was posted."""
    app = Starlette(
        routes=[
            Route("/locations/{location_id}", _read_location),
            Route("/workflows/", _answering("GET /workflows/?locationId=")),
            Route("/contacts/upsert", _answering("POST /contacts/upsert"), methods=["POST"]),
            Route("/contacts/{id}/tags", _answering("POST /contacts/{id}/tags"), methods=["POST"]),
            Route(
                "/contacts/{id}/workflow/{workflow_id}",
                _answering("POST /contacts/{id}/workflow/{workflowId}"),
                methods=["POST"],
            ),
            Route(
                "/conversations/messages",
                _answering("POST /conversations/messages"),
                methods=["POST"],
            ),
        ]
    )
    app.state.sent = []
    return app


async def _read_location(request: Request) -> Response:
    if refusal := await _refuse(request):
        return refusal
    if request.path_params["location_id"] != LOCATION_ID:
        return _answer("token of another location")
    return _answer("GET /locations/{locationId}")


def _answering(call: str) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if refusal := await _refuse(request):
            return refusal
        if request.method == "POST":
            request.app.state.sent.append((request.url.path, await request.json()))
        return _answer(call)

    return endpoint


async def _refuse(request: Request) -> Response | None:
    version = request.headers.get("version")
    if version is None:
        return _answer("missing Version header")
    if version not in _PUBLISHED:
        return _answer("unpublished Version value (date shaped)")
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    if trouble := await find_trouble(token):
        return trouble
    if token in _REFUSALS:
        return _answer(_REFUSALS[token])
    return None if token == TOKEN else _answer("bad token")


def _answer(call: str) -> Response:
    answer = _ANSWERS[call]
    return JSONResponse(answer["body"], answer["status"], _VECTORS["rate_headers"])
