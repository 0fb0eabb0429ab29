"""The routes that stream a list as a file: a script would have to hold all of it."""

from collections.abc import Callable, Iterator, Mapping

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from lib.access import Actor
from lib.errors import HubError, NotAllowed
from lib.hub import Hub
from lib.lists.addressed_filters import (
    audit_filters,
    delivery_filters,
    event_filters,
    rejection_filters,
)
from lib.lists.exports import (
    FORMATS,
    export_audit,
    export_deliveries,
    export_events,
    export_rejections,
)
from lib.people.sessions import actor_of_cookie
from lib.ui.people.session import COOKIE_NAME
from lib.ui.resources import get_hub

_FOREIGN = ("cross-site", "same-site")
Export = Callable[[Hub, Actor, Mapping[str, str], str], Iterator[str]]


def send_file(request: Request) -> Response:
    """Answer with the matching rows: 200, 400 for filters that cannot be, 403, or 404."""
    cookie = request.cookies.get(COOKIE_NAME)
    actor = actor_of_cookie(get_hub(), cookie) if cookie else None
    # Another site may link here but must not have it loaded into itself.
    if actor is None or request.headers.get("Sec-Fetch-Site") in _FOREIGN:
        return PlainTextResponse("Sign in and export from the list.", status_code=403)
    name, format_ = request.path_params["name"], request.path_params["format"]
    if format_ not in FORMATS or name not in _EXPORTS:
        return PlainTextResponse("There is no such export.", status_code=404)
    try:
        parts = _EXPORTS[name](get_hub(), actor, request.query_params, format_)
    except NotAllowed as error:
        return PlainTextResponse(error.message, status_code=403)
    except HubError as error:
        return PlainTextResponse(error.message, status_code=400)
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.{format_}"',
        "Cache-Control": "no-store",
    }
    return StreamingResponse(parts, media_type=FORMATS[format_], headers=headers)


_EXPORTS: Mapping[str, Export] = {
    "events": lambda hub, actor, query, format_: export_events(
        hub, actor, event_filters(query), format_
    ),
    "deliveries": lambda hub, actor, query, format_: export_deliveries(
        hub, actor, delivery_filters(query), format_
    ),
    "rejections": lambda hub, actor, query, format_: export_rejections(
        hub, actor, rejection_filters(query), format_
    ),
    "audit": lambda hub, actor, query, format_: export_audit(
        hub, actor, audit_filters(query), format_
    ),
}
ROUTES = (Route("/export/{name}.{format}", send_file, methods=["GET"]),)
