"""The API's addresses: one endpoint a path, and problems for all that is none of them."""

from collections.abc import Mapping, Sequence

from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from webhook_receiver.api.catalog import OPERATIONS
from webhook_receiver.api.documents import PATHS, DocumentEndpoint, Documents
from webhook_receiver.api.operations import Operation
from webhook_receiver.api.problems import Refusal, problem
from webhook_receiver.api.serving import Api

_PREFIX = "/api"
_WEBHOOKS = ("/api/webhooks/{service}", "/api/webhooks/{service}/{token}")


def make_router(api: Api) -> Router:
    """Return the application that is mounted at /api."""
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in OPERATIONS:
        by_path.setdefault(operation.path, {})[operation.method] = operation
    documents = Documents(api.hub.settings)
    # /events/samples is looked for before /events/{id}.
    paths = sorted(by_path, key=lambda path: path.count("{"))
    endpoints: dict[str, ASGIApp] = {
        **{path: DocumentEndpoint(documents, path, OtherMethod(["GET"])) for path in PATHS},
        **{path: PathEndpoint(api, by_path[path]) for path in paths},
        # The receiver has taken what they serve before it looks here.
        **{path: OtherMethod(["POST"]) for path in _WEBHOOKS},
    }
    return Router(
        routes=[Route(path.removeprefix(_PREFIX), app) for path, app in endpoints.items()],
        redirect_slashes=False,
        default=_not_found,
    )


class OtherMethod:
    """Answers OPTIONS with the methods that there are, and anything else with 405."""

    def __init__(self, known: Sequence[str]) -> None:
        self._known = known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        head = ["HEAD"] if "GET" in self._known else []
        allow = {"allow": ", ".join([*self._known, *head, "OPTIONS"])}
        if scope["method"] == "OPTIONS":
            response = Response(status_code=204, headers=allow)
        else:
            known = ", ".join(self._known)
            detail = f"This address does not take {scope['method'][:10]}. Use {known}."
            response = problem(Refusal(405, detail, headers=allow))
        await response(scope, receive, send)


class PathEndpoint:
    """Serves the operations of one path as a bare ASGI application."""

    def __init__(self, api: Api, by_method: Mapping[str, Operation]) -> None:
        self._api = api
        self._by_method = by_method
        self._other = OtherMethod(list(by_method))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; HEAD is GET without its body, which the server leaves out."""
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        operation = self._by_method.get(method)
        if operation is None:
            await self._other(scope, receive, send)
        else:
            await self._api.serve(operation, scope, receive, send)


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    detail = "There is no such address. Look at GET /api/openapi.json for those that there are."
    await problem(Refusal(404, detail))(scope, receive, send)
