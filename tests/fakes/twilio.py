"""Plays api.twilio.com: accounts, messages and calls of one account."""

import base64

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.trouble import find_trouble
from tests.fakes.vectors import load

ACCOUNT_SID = "AC00000000000000000000000000000001"
AUTH_TOKEN = "12345"
STANDARD_KEY = ("SK" + "1" * 32, "standard-secret")
RESTRICTED_KEY = ("SK" + "2" * 32, "restricted-secret")
TEST_AUTH_TOKEN = "MAGICTESTCREDENTIALS"
FAILING_TOKEN = "MAGIC20500"
CALL_SID = "CA" + "c" * 32
_ANSWERS = load("twilio_api")


def make_app() -> Starlette:
    """Return the fake; `app.state.sent` keeps the forms that were posted.

    `app.state.pairs` keeps them with repeated fields, `app.state.messages` what was sent.
    """
    base = "/2010-04-01/Accounts/{sid}"
    app = Starlette(
        routes=[
            Route(base + ".json", _read_account),
            Route(base + "/Messages.json", _list_messages, methods=["GET"]),
            Route(base + "/Messages.json", _create, methods=["POST"]),
            Route(base + "/Messages/{resource}.json", _read_message),
            Route(base + "/Calls/{resource}.json", _read_call),
            Route(base + "/Calls.json", _create, methods=["POST"]),
        ]
    )
    app.state.sent = []
    app.state.pairs = []
    app.state.messages = []
    return app


async def _read_account(request: Request) -> Response:
    user, password = _credentials(request)
    if trouble := await find_trouble(password):
        return trouble
    if password == TEST_AUTH_TOKEN:
        return _answer("test_credentials_forbidden")
    if (user, password) != (ACCOUNT_SID, AUTH_TOKEN):
        return _answer("auth_failed")
    body = {**_ANSWERS["account_ok"]["body"], "auth_token": AUTH_TOKEN}
    return JSONResponse(body)


async def _list_messages(request: Request) -> Response:
    if _credentials(request) == RESTRICTED_KEY:
        return JSONResponse({"code": 70051, "message": "Forbidden", "status": 403}, 403)
    if refusal := await _refuse(request):
        return refusal
    query = request.query_params
    found = [
        message
        for message in reversed(request.app.state.messages)
        if query.get("To") in (None, message["to"]) and query.get("From") in (None, message["from"])
    ]
    size = int(query.get("PageSize", "50"))
    following = f"{request.url.path}?Page=1" if len(found) > size else None
    page = {"messages": found[:size], "page": 0, "page_size": size, "next_page_uri": following}
    return JSONResponse({**page, "uri": request.url.path})


async def _read_message(request: Request) -> Response:
    if refusal := await _refuse(request):
        return refusal
    for message in request.app.state.messages:
        if message["sid"] == request.path_params["resource"]:
            return JSONResponse(message)
    return _answer("not_found")


async def _read_call(request: Request) -> Response:
    if refusal := await _refuse(request):
        return refusal
    if request.path_params["resource"] != CALL_SID:
        return _answer("not_found")
    return JSONResponse({"sid": CALL_SID, "status": "completed", "duration": "12"})


async def _refuse(request: Request) -> Response | None:
    given = _credentials(request)
    if trouble := await find_trouble(given[1]):
        return trouble
    if given[1] == TEST_AUTH_TOKEN:
        return _answer("test_credentials_forbidden")
    if given[1] == FAILING_TOKEN:
        return JSONResponse({"code": 20500, "message": "Internal", "status": 500}, 500)
    if given not in (STANDARD_KEY, (ACCOUNT_SID, AUTH_TOKEN)):
        return _answer("auth_failed")
    return None


async def _create(request: Request) -> Response:
    if refusal := await _refuse(request):
        return refusal
    given = await request.form()
    form = dict(given)
    kind = "SMS" if request.url.path.endswith("Messages.json") else "Call"
    for magic in _ANSWERS["magic_numbers"]:
        kind_of, _, side = magic["use"].partition(" ")
        if kind_of == kind and magic["number"] == form.get(side) and "error" in magic:
            error = {"code": magic["error"], "message": "Refused", "status": 400}
            return JSONResponse(error, 400)
    request.app.state.sent.append(form)
    request.app.state.pairs.append(given.multi_items())
    if kind == "Call":
        return JSONResponse({"sid": CALL_SID, "status": "queued"}, 201)
    message = {
        **_ANSWERS["message_created"]["body"],
        "to": form.get("To"),
        "from": form.get("From"),
        "body": form.get("Body"),
    }
    if request.app.state.messages:
        message["sid"] = f"SM{len(request.app.state.messages):032x}"
    request.app.state.messages.append(message)
    return JSONResponse(message, 201)


def _credentials(request: Request) -> tuple[str, str]:
    encoded = request.headers.get("authorization", "").removeprefix("Basic ")
    user, _, password = base64.b64decode(encoded).decode().partition(":")
    return user, password


def _answer(name: str) -> Response:
    answer = _ANSWERS[name]
    return JSONResponse(answer["body"], answer["status"], answer.get("headers"))
