"""The way of one API request: known, allowed, in time, well formed, carried out, answered."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar
from urllib.parse import urlencode

import structlog
from sqlalchemy.exc import DBAPIError
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from lib import audit, idempotency
from lib.database import OUTAGES
from lib.errors import HubError, OutcomeUnknown
from lib.hub import Hub
from lib.idempotency import Attempt, KeptAnswer
from lib.people import api_tokens
from lib.people.api_tokens import Caller
from webhook_receiver.api.operations import Call, Operation, Reply
from webhook_receiver.api.pace import Pace
from webhook_receiver.api.problems import Refusal, problem, refusal_of, refusal_of_outage
from webhook_receiver.api.reading import (
    check_media_type,
    encode,
    read_document,
    read_query,
    read_token,
    unauthorized,
)
from webhook_receiver.requests import BodyTooLarge, client_address, read_body, read_headers

log = structlog.get_logger()

JSON = "application/json"
REPLAYED = "idempotency-replayed"
# Quick calls and those that wait for a vendor have threads of their own, and both others than
# the ones that look up the addresses of webhooks.
_THREADS = 6
Result = TypeVar("Result")


class Api:
    """Carries out operations for callers; it holds nothing of any request."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._pace = Pace(hub.settings.api_requests_per_minute)
        self._quick = ThreadPoolExecutor(_THREADS, thread_name_prefix="api")
        self._vendors = ThreadPoolExecutor(_THREADS, thread_name_prefix="api-vendors")

    def close(self) -> None:
        """Let the threads end after what they do now."""
        self._quick.shutdown(wait=False)
        self._vendors.shutdown(wait=False)

    async def serve(self, operation: Operation, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of an operation."""
        caller: Caller | None = None
        headers = read_headers(scope)
        try:
            caller = await self._admit(operation, scope, headers)
            response = await self._take(operation, caller, scope, receive)
        except Refusal as refusal:
            response = problem(refusal)
        except HubError as error:
            response = problem(refusal_of(error))
        except BodyTooLarge:
            most = self.hub.settings.max_body_bytes
            response = problem(Refusal(413, f"The body is larger than {most} bytes. Send less."))
        except ClientDisconnect:
            response = problem(Refusal(400, "The connection ended before the whole body arrived."))
        except OUTAGES as error:
            log.error("api_without_database", why=type(error).__name__)
            response = problem(refusal_of_outage())
        await response(scope, receive, send)
        if caller is not None and api_tokens.is_use_due(caller.token):
            await self._keep_house(caller)

    async def _admit(
        self, operation: Operation, scope: Scope, headers: Mapping[str, str]
    ) -> Caller:
        """Return who calls; raise Refusal or RateLimited."""
        trusted = self.hub.settings.trusted_proxies
        address = client_address(scope, headers, trusted=trusted)
        self._pace.count_address(address)
        secret = read_token(headers)
        caller = await self._in_thread(
            self._quick, lambda: api_tokens.authenticate(self.hub, secret)
        )
        if caller is None:
            raise unauthorized(
                "The token is unknown, expired or revoked. Make a new one on the Account screen.",
                error="invalid_token",
            )
        self._pace.count_token(caller.token.id)
        if operation.scope is not None and not caller.may(operation.scope):
            challenge = f'Bearer error="insufficient_scope", scope="{operation.scope}"'
            raise Refusal(
                403,
                f"This token lacks the scope {operation.scope}. Make one that has it on Account.",
                headers={"www-authenticate": challenge},
            )
        return replace(caller, actor=replace(caller.actor, ip=address))

    async def _take(
        self, operation: Operation, caller: Caller, scope: Scope, receive: Receive
    ) -> Response:
        headers = read_headers(scope)
        path: dict[str, str] = scope["path_params"]
        if any("\x00" in value for value in path.values()):
            raise Refusal(404, "There is no such address. Look at GET /api/openapi.json.")
        query = scope["query_string"].decode("latin-1")
        asked = read_query(operation.query, query)
        body = await read_body(receive, headers, most_bytes=self.hub.settings.max_body_bytes)
        if operation.body is not None:
            check_media_type(headers)
        unique = headers.get("idempotency-key") if operation.creates else None
        call = Call(
            hub=self.hub,
            caller=caller,
            path=path,
            query=asked,
            body=read_document(operation, body),
            address=client_address(scope, headers, trusted=self.hub.settings.trusted_proxies),
            unique=unique,
        )
        pool = self._vendors if operation.calls_vendor else self._quick
        digest = _digest(operation, scope, body)
        kept, is_replayed = await self._in_thread(
            pool, lambda: _carry_out_once(operation, call, digest)
        )
        return _response(kept, is_replayed=is_replayed)

    async def _keep_house(self, caller: Caller) -> None:
        """Note the token's use and forget old keys: once a minute a token, after the answer."""

        def work() -> None:
            api_tokens.note_use(self.hub, caller.token)
            idempotency.prune(self.hub)

        try:
            await self._in_thread(self._quick, work)
        except DBAPIError as error:
            log.warning("api_house_not_kept", why=type(error).__name__)

    async def _in_thread(self, pool: ThreadPoolExecutor, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(pool, work)


def _carry_out_once(operation: Operation, call: Call, digest: str) -> tuple[KeptAnswer, bool]:
    """Return the answer, and whether it is that of an earlier request under the same key."""
    if call.unique is None:
        return _carry_out(operation, call), False
    begun = idempotency.begin(
        call.hub,
        call.caller.actor,
        key=call.unique,
        digest=digest,
        may_repeat=operation.may_repeat(call),
    )
    if isinstance(begun, KeptAnswer):
        return begun, True
    is_free = begun.may_repeat
    try:
        answer = _carry_out(operation, call)
    except OutcomeUnknown as error:
        is_free, answer = False, _keepable(refusal_of(error))
    except (HubError, *OUTAGES):
        # The database is asked before the service is, never after it.
        is_free = True
        raise
    else:
        is_free = False
    finally:
        # After a fault of the hub's own nobody knows what reached whom: the key stays taken.
        if is_free:
            idempotency.release(call.hub, begun)
    _finish(call.hub, begun, answer)
    return answer, False


def _finish(hub: Hub, begun: Attempt, answer: KeptAnswer) -> None:
    """Keep the answer; what was done is told all the same when it cannot be kept."""
    try:
        idempotency.finish(hub, begun, answer)
    except OUTAGES as error:
        log.error("api_answer_not_kept", why=type(error).__name__)


def _keepable(refusal: Refusal) -> KeptAnswer:
    response = problem(refusal)
    return KeptAnswer(response.status_code, dict(response.headers), bytes(response.body))


def _carry_out(operation: Operation, call: Call) -> KeptAnswer:
    with audit.acting_through(call.caller.token.id):
        reply = operation.handler(call)
    headers = {}
    if reply.next_cursor is not None:
        headers["link"] = _link(operation, call, reply)
    document = reply.document
    # What is shown only once is unset in every other answer.
    body = b"" if document is None else encode(document.model_dump(exclude_unset=True))
    return KeptAnswer(reply.status or operation.status, headers, body)


def _response(kept: KeptAnswer, *, is_replayed: bool) -> Response:
    response = Response(kept.body, kept.status, kept.headers, JSON if kept.body else None)
    response.headers["cache-control"] = "no-store"
    if is_replayed:
        response.headers[REPLAYED] = "true"
    return response


def _link(operation: Operation, call: Call, reply: Reply) -> str:
    """Return the Link to the next page (RFC 8288), under the hub's public address."""
    following = call.query.model_copy(update={"cursor": reply.next_cursor})
    query = urlencode(following.model_dump(mode="json", exclude_unset=True, by_alias=True))
    path = operation.path.format_map(call.path)
    return f'<{call.hub.settings.public_url}{path}?{query}>; rel="next"'


def _digest(operation: Operation, scope: Scope, body: bytes) -> str:
    place = f"{operation.method} {scope['path']}?{scope['query_string'].decode('latin-1')}\n"
    return hashlib.sha256(place.encode() + body).hexdigest()
