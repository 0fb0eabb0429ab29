"""Plays hooks.zapier.com: it says success whether a Zap exists or not."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.trouble import find_trouble
from tests.fakes.vectors import load

_VECTORS = load("zapier")


def make_app() -> Starlette:
    """Return the fake; `app.state.sent` keeps the bodies that hooks received."""
    paths = ("/hooks/catch/{user}/{id}/", "/hooks/standard/{user}/{id}/")
    app = Starlette(routes=[Route(path, _take_hook, methods=["POST"]) for path in paths])
    app.state.sent = []
    return app


async def _take_hook(request: Request) -> Response:
    hook = request.path_params["id"]
    if trouble := await find_trouble(hook):
        return trouble
    if hook == "gone":
        return Response(status_code=_VECTORS["resthook_gone"]["status"])
    request.app.state.sent.append(await request.json())
    return JSONResponse(_VECTORS["catch_ok"]["body"])
