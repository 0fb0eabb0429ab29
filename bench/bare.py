"""What the receiver is measured against: a bare handler, and one that checks signatures."""

import os
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lib.hub import open_hub
from lib.intake.endpoints import Endpoint, EndpointDirectory
from lib.settings import load_settings
from webhook_receiver.requests import read_headers, to_inbound

PATH = "/api/webhooks/{service}/{token}"


async def answer(request: Request) -> Response:
    """Read the body and answer."""
    await request.body()
    return Response(b'{"id":"evt_0"}', media_type="application/json")


def checking() -> Starlette:
    """Return a bare app that also proves each request, and does nothing else."""
    hub = open_hub(load_settings())
    directory = EndpointDirectory(hub)
    directory.refresh()

    async def check_and_answer(request: Request) -> Response:
        endpoint = directory.find(request.path_params["service"], request.path_params["token"])
        assert isinstance(endpoint, Endpoint)
        body, headers = await request.body(), read_headers(request.scope)
        inbound = to_inbound(request.scope, hub.settings, headers=headers, body=body)
        endpoint.provider.verify(inbound, endpoint.opened, hub.settings)
        return Response(b'{"id":"evt_0"}', media_type="application/json")

    return Starlette(routes=[Route(PATH, check_and_answer, methods=["POST"])])


def main() -> None:
    """Serve on the port and processor given: `python -m bench.bare bare|checking PORT CPU`."""
    kind, port, processor = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    os.sched_setaffinity(0, {processor})
    bare = Starlette(routes=[Route(PATH, answer, methods=["POST"])])
    app = checking() if kind == "checking" else bare
    uvicorn.run(app, port=port, log_level="error", access_log=False, server_header=False)


if __name__ == "__main__":
    main()
