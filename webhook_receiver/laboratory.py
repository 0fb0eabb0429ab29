"""The route of test addresses: keeps what comes and answers as its owner has set."""

import asyncio
import json

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy.exc import DBAPIError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from lib.hub import Hub
from lib.laboratory.reception import Arrived, Plan, keep_request, plan_answer
from webhook_receiver.problems import problem
from webhook_receiver.requests import client_address, read_body, read_headers

PATH = "/api/lab/{token}"
MOST_BODY_BYTES = 1_048_576
# Look-ups of one sender, so that guessing tokens does not load the database.
_PER_SENDER = RateLimitItemPerMinute(1_200)
_PER_ADDRESS = RateLimitItemPerMinute(300)
# Answers that wait hold a connection each.
_MOST_WAITING = 200
_WITHOUT_BODY = frozenset({204, 205, 304})


class TrialRoute:
    """Serves every method of a test address as a bare ASGI application.

    It sets no cookie and repeats nothing of the request.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; NotFound and a body too large go on to the exception map."""
        response = await self._answer(scope, receive)
        await response(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        headers = read_headers(scope)
        trusted = self._hub.settings.trusted_proxies
        sender = client_address(scope, headers, trusted=trusted)
        if not self._limiter.hit(_PER_SENDER, "sender", sender):
            return _too_many()
        try:
            plan = await asyncio.to_thread(plan_answer, self._hub, scope["path_params"]["token"])
            if not self._limiter.hit(_PER_ADDRESS, "address", plan.endpoint_id):
                return _too_many()
            body = await read_body(receive, headers, most_bytes=MOST_BODY_BYTES)
            query = scope["query_string"].decode("utf-8", "replace")
            arrived = Arrived(scope["method"], query, headers, body, sender)
            request_id = await asyncio.to_thread(keep_request, self._hub, plan, arrived)
        except DBAPIError:
            return problem(503, "The database does not answer. Send it again.")
        return await self._wait(plan, request_id)

    async def _wait(self, plan: Plan, request_id: str) -> Response:
        if plan.delay_seconds and self._waiting >= _MOST_WAITING:
            return _too_many()
        self._waiting += 1
        try:
            await asyncio.sleep(plan.delay_seconds)
        finally:
            self._waiting -= 1
        if plan.status in _WITHOUT_BODY:
            return Response(status_code=plan.status)
        body = json.dumps({"id": request_id, "status": plan.status})
        return Response(body, plan.status, media_type="application/json")


def _too_many() -> Response:
    return problem(429, "Too many requests to test addresses. Try again.", **{"retry-after": "60"})
