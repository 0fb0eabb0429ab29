"""The sender of destinations that are actions: the vendor is asked in a thread, once.

What reaches a person is tried again only when the vendor certainly did nothing.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import orjson

from lib.errors import InvalidInput, NotFound, ProviderError
from lib.hub import Hub
from lib.models import Destination, IntegrationConfig
from lib.outgoing.action_destinations import ACTION, bound_integration
from lib.outgoing.exchange import KEPT_BODY_BYTES, Exchange, Fault, OutgoingRequest, Timings
from lib.providers.actions import Action
from lib.providers.targets import ErrorClass, Reply, judge_status
from lib.vendors.action_runs import (
    check_input,
    check_usable,
    explain_unsure,
    find_action,
    is_unsure,
    perform,
)

# A slow vendor holds its threads; the others are for all other destinations.
_MOST_THREADS = 64


class ActionSenders:
    """Makes the sender of each destination; they share one pool of threads."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._threads = ThreadPoolExecutor(_MOST_THREADS, thread_name_prefix="action")

    def sender_for(self, destination: Destination) -> "ActionSender":
        """Return what runs the action of this destination."""
        return ActionSender(self._hub, self._threads, destination)

    def close(self) -> None:
        """Take no more runs; those under way end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True, repr=False)
class ActionSender:
    """Runs one destination's action; what the vendor says comes back as an exchange."""

    hub: Hub
    threads: ThreadPoolExecutor
    destination: Destination

    async def post(self, request: OutgoingRequest) -> Exchange:
        """Run the action with the request's body as its input."""
        begun = perf_counter()
        loop = asyncio.get_running_loop()
        end = await loop.run_in_executor(self.threads, self._run, request.body)
        timings = Timings((perf_counter() - begun) * 1000)
        if isinstance(end, Reply):
            return Exchange(timings, reply=end)
        return Exchange(timings, fault=end)

    def _run(self, body: bytes) -> Reply | Fault:
        try:
            row, action = self._find()
            given = check_input(action, _read(body))
        except (InvalidInput, NotFound) as error:
            return Fault("config", error.message, was_sent=False, is_final=True)
        try:
            check_usable(row, action)
        except InvalidInput as error:
            return Fault("config", error.message, was_sent=False)
        try:
            result = perform(self.hub, row, action, given=given)
        except InvalidInput as error:
            # A setting of the integration is missing, so nothing could be asked.
            return Fault("config", error.message, was_sent=False, is_final=True)
        except ProviderError as error:
            return _explain(action, error)
        answer = orjson.dumps(result, default=str)[:KEPT_BODY_BYTES]
        return Reply(200, {"content-type": "application/json"}, answer)

    def _find(self) -> tuple[IntegrationConfig, Action]:
        with self.hub.database.read() as session:
            row = bound_integration(session, self.destination)
        return row, find_action(row.service_name, self.destination.config_data.get(ACTION, ""))


def _read(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise InvalidInput(
            "A value holds signs that are no text, or a number too long. Leave it out of the "
            "mapping.",
            field="mapping",
        ) from None


def _explain(action: Action, error: ProviderError) -> Fault:
    """Say whether the same run may be made again."""
    may_be_done = is_unsure(action, error)
    return Fault(
        _class_of(error),
        explain_unsure(error) if may_be_done else error.message,
        was_sent=not error.is_unprocessed,
        is_final=may_be_done or error.permanent,
        retry_after=error.retry_after,
    )


def _class_of(error: ProviderError) -> ErrorClass:
    if error.status is None:
        return "connect" if error.is_unprocessed else "timeout"
    # A success whose body made no sense is a broken answer.
    return judge_status(error.status).error_class or "connect"
