"""Whether this process lives, whether the hub can work, and what it counted."""

import asyncio
import json
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError
from starlette.requests import Request
from starlette.responses import Response

from lib import overview
from lib.hub import Hub
from lib.vault.self_proof import is_nonce, prove
from webhook_receiver.metrics import Metrics
from webhook_receiver.requests import client_address, read_headers


@dataclass(frozen=True)
class Health:
    """The routes that load balancers and monitors ask."""

    hub: Hub
    metrics: Metrics

    async def healthz(self, request: Request) -> Response:
        """Answer 200 as long as the process runs; to a nonce with a proof of whose it is."""
        nonce = request.query_params.get("nonce", "")
        if not is_nonce(nonce):
            return _json(200, {"status": "ok"})
        try:
            proof = await asyncio.to_thread(prove, self.hub.database, nonce)
        except DBAPIError:
            return _json(200, {"status": "ok", "database": "no answer"})
        trusted = self.hub.settings.trusted_proxies
        address = client_address(request.scope, read_headers(request.scope), trusted=trusted)
        return _json(200, {"status": "ok", "proof": proof, "address": address})

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
