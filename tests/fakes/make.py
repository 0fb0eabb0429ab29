"""Plays hook.<zone>.make.com under /hook and the Make API under /api/v2."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.fakes.trouble import find_trouble
from tests.fakes.vectors import load

API_TOKEN = "make-token"
HOOK_API_KEY = "hook-key"
TEAM_ID = "1"
BUSY_TOKEN = "make-busy"
STRICT_TOKEN = "make-strict"
FAILING_SCENARIO = "13"
STRANGE_SCENARIO = "403"
_VECTORS = load("make")
_HOOKS = {case["case"]: case for case in _VECTORS["webhook"]}
_CALLS = {call["call"]: call for call in _VECTORS["api"]}
_MAGIC_HOOKS = {
    "full": "queue full",
    "unlinked": "no scenario linked or listening",
    "gone": "unknown or deleted id",
    "busy": "over 300 per 10 s",
    "failing": "scenario failed with response module",
}


def make_app() -> Starlette:
    """Return the fake; `app.state.sent` keeps the bodies that hooks received.

    `app.state.runs` keeps what scenarios were run with.
    """
    app = Starlette(
        routes=[
            Route("/hook/{id}", _take_hook, methods=["POST"]),
            Route("/api/v2/users/me/current-authorization", _read_authorization),
            Route("/api/v2/scenarios", _list_scenarios),
            Route("/api/v2/hooks", _list_hooks),
            Route("/api/v2/scenarios/{id}/run", _run, methods=["POST"]),
            Route("/api/v2/scenarios/{id}/start", _switch, methods=["POST"]),
            Route("/api/v2/scenarios/{id}/stop", _switch, methods=["POST"]),
        ]
    )
    app.state.sent = []
    app.state.runs = []
    return app


async def _take_hook(request: Request) -> Response:
    hook = request.path_params["id"]
    if trouble := await find_trouble(hook):
        return trouble
    if hook in _MAGIC_HOOKS:
        case = _HOOKS[_MAGIC_HOOKS[hook]]
        return PlainTextResponse(case["body"], case["status"])
    if hook == "keyed" and request.headers.get("x-make-apikey") != HOOK_API_KEY:
        return PlainTextResponse("Unauthorized", 401)
    request.app.state.sent.append(await request.json())
    return PlainTextResponse("Accepted")


async def _read_authorization(request: Request) -> Response:
    return await _refuse(request) or _answer("GET /api/v2/users/me/current-authorization")


async def _list_scenarios(request: Request) -> Response:
    if refusal := await _refuse(request):
        return refusal
    if request.query_params.get("teamId") != TEAM_ID:
        return _answer("GET /api/v2/connections?teamId=1 on the wrong zone")
    scenario = {"id": 7, "name": "Orders", "isActive": True, "secretThing": "hush"}
    return JSONResponse({"scenarios": [scenario], "pg": {"limit": 50, "offset": 0}})


async def _list_hooks(request: Request) -> Response:
    if refusal := await _refuse(request):
        return refusal
    hook = {
        "id": 3,
        "name": "Orders",
        "type": "web",
        "queueCount": 12,
        "queueLimit": 667,
        "enabled": True,
        "gone": False,
        "scenarioId": 7,
        "scenarioIsActive": False,
        "url": "https://hook.eu1.make.com/hush",
    }
    gone = {"id": 4, "name": "Old", "gone": True}
    return JSONResponse({"hooks": [hook, gone, {**hook, "id": 5, "enabled": False}]})


async def _run(request: Request) -> Response:
    if refusal := await _refuse(request):
        return refusal
    body = await request.json()
    request.app.state.runs.append(body)
    if not body["responsive"]:
        return _answer("POST /api/v2/scenarios/{id}/run")
    ended = _CALLS["POST /api/v2/scenarios/{id}/run responsive"]["body"]
    failed = request.path_params["id"] == FAILING_SCENARIO
    return JSONResponse({**ended, "status": 3 if failed else 1})


async def _switch(request: Request) -> Response:
    if refusal := await _refuse(request):
        return refusal
    is_active = request.url.path.endswith("/start")
    return JSONResponse({"scenario": {"id": 7, "isActive": is_active}})


async def _refuse(request: Request) -> Response | None:
    token = request.headers.get("authorization", "").removeprefix("Token ")
    if trouble := await find_trouble(token):
        return trouble
    if token == API_TOKEN:
        is_elsewhere = request.path_params.get("id") == STRANGE_SCENARIO
        return _answer("any, missing scope") if is_elsewhere else None
    if token == BUSY_TOKEN:
        return _answer("over the organisation's limit")
    if token == STRICT_TOKEN:
        return _answer("bad parameter")
    return _answer("any, bad token")


def _answer(name: str) -> Response:
    return JSONResponse(_CALLS[name]["body"], _CALLS[name]["status"])
