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
_ANSWERS = load("twilio_api")


def make_app() -> Starlette:
    """Return the fake; `app.state.sent` keeps the forms that were posted."""
    base = "/2010-04-01/Accounts/{sid}"
    app = Starlette(
        routes=[
            Route(base + ".json", _read_account),
            Route(base + "/Messages.json", _list_messages, methods=["GET"]),
            Route(base + "/Messages.json", _create, methods=["POST"]),
            Route(base + "/Calls.json", _create, methods=["POST"]),
        ]
    )
    app.state.sent = []
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
    given = _credentials(request)
    if given == RESTRICTED_KEY:
        return JSONResponse({"code": 70051, "message": "Forbidden", "status": 403}, 403)
    if given not in (STANDARD_KEY, (ACCOUNT_SID, AUTH_TOKEN)):
        return _answer("auth_failed")
    return JSONResponse({"messages": [], "page": 0, "page_size": 1})


async def _create(request: Request) -> Response:
    given = _credentials(request)
    if trouble := await find_trouble(given[1]):
        return trouble
    if given not in (STANDARD_KEY, (ACCOUNT_SID, AUTH_TOKEN)):
        return _answer("auth_failed")
    form = dict(await request.form())
    use = "SMS To" if request.url.path.endswith("Messages.json") else "Call To"
    for magic in _ANSWERS["magic_numbers"]:
        if magic["use"] == use and magic["number"] == form.get("To") and "error" in magic:
            error = {"code": magic["error"], "message": "Refused", "status": 400}
            return JSONResponse(error, 400)
    request.app.state.sent.append(form)
    if use == "SMS To":
        return _answer("message_created")
    return JSONResponse({"sid": "CA" + "c" * 32, "status": "queued"}, 201)


def _credentials(request: Request) -> tuple[str, str]:
    encoded = request.headers.get("authorization", "").removeprefix("Basic ")
    user, _, password = base64.b64decode(encoded).decode().partition(":")
    return user, password


def _answer(name: str) -> Response:
    answer = _ANSWERS[name]
    return JSONResponse(answer["body"], answer["status"], answer.get("headers"))
