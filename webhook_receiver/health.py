"""Whether this process lives, whether the hub can work, and what it counted."""

import asyncio
import json
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError
from starlette.requests import Request
from starlette.responses import Response

from lib import overview
from lib.hub import Hub
from webhook_receiver.metrics import Metrics


@dataclass(frozen=True)
class Health:
    """The routes that load balancers and monitors ask."""

    hub: Hub
    metrics: Metrics

    async def healthz(self, _request: Request) -> Response:
        """Answer 200 as long as the process runs."""
        return _json(200, {"status": "ok"})

    async def readyz(self, _request: Request) -> Response:
        """Answer 200 when the database answers and a worker gave a sign of life, else 503."""
        try:
            worker = await asyncio.to_thread(overview.worker_state, self.hub)
        except DBAPIError:
            return _json(503, {"status": "unready", "database": "no answer", "worker": "unknown"})
        state = "ok" if worker.is_alive else "no sign of life: start `python -m lib.worker`"
        ready = {"status": "ready" if worker.is_alive else "unready", "database": "ok"}
        return _json(200 if worker.is_alive else 503, {**ready, "worker": state})

    async def show_metrics(self, _request: Request) -> Response:
        """Answer in the text format of Prometheus."""
        return Response(self.metrics.render(), media_type="text/plain; version=0.0.4")


def _json(status: int, document: dict[str, str]) -> Response:
    return Response(json.dumps(document), status, media_type="application/json")
