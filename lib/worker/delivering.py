"""The worker's second step: due deliveries are claimed, sent at once, and settled in batches."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

import structlog
from sqlalchemy.exc import DBAPIError

from lib.clock import now
from lib.database import OUTAGES
from lib.errors import SecretUnreadable
from lib.hub import Hub
from lib.ids import new_id
from lib.models import Destination
from lib.outgoing.action_sender import ActionSenders
from lib.outgoing.attempt import AttemptResult, Job, make_attempt, not_sent
from lib.outgoing.claims import (
    Claimed,
    Claims,
    Lease,
    claim,
    first_due,
    release_claimed,
    renew,
)
from lib.outgoing.destination_book import DestinationBook
from lib.outgoing.envelope import build_envelope
from lib.outgoing.exchange import HUB_FAILED, Sender
from lib.outgoing.interrupted import bury_claimed
from lib.outgoing.settlement import Finished, settle
from lib.providers.registry import find_target
from lib.providers.targets import Judgement, Target
from lib.vendors.action_runs import MAYBE_DONE
from lib.worker.database_thread import DatabaseThread, name_of
from lib.worker.lanes import Lanes
from lib.worker.settling import settle_apart

log = structlog.get_logger()

MOST_HELD = 500
# Other processes queue deliveries too; not each of them can be heard.
LONGEST_PAUSE_SECONDS = 0.5
# A turn costs much the same for one delivery as for fifty, so what ends close together shares it.
GATHER_SECONDS = 0.003
_REMOVED = Judgement(
    "dead", "config", "Retention has removed the event's payload, so it can no longer be sent."
)
_BROKEN = Judgement("retry", "config", HUB_FAILED)
_BROKEN_ACTION = Judgement(
    "dead", "config", f"The hub failed while it did this. The worker's log says why. {MAYBE_DONE}"
)


class _Done(NamedTuple):
    """What happened since the last turn: attempts that ended, and claims that were not begun."""

    finished: Sequence[Finished]
    returned: Sequence[Claimed]


class Deliverer:
    """Holds up to 500 deliveries at once; one destination never waits for another.

    One turn is one transaction: it settles what ended since the last turn and claims what
    may start now. While it commits, more requests end, so the batches grow with the load.
    """

    def __init__(self, hub: Hub, sender: Sender, database: DatabaseThread) -> None:
        self._hub = hub
        self._sender = sender
        self._database = database
        self._book = DestinationBook(hub.vault)
        self._actions = ActionSenders(hub)
        self._lease = timedelta(seconds=hub.settings.delivery_lease_seconds)
        self._lanes = Lanes(self._attempt, self._start)
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way: dict[str, Claimed] = {}
        self._finished: list[Finished] = []
        self._stirred = asyncio.Event()
        self._is_stopping = False

    def stir(self) -> None:
        """Say that something may be due."""
        self._stirred.set()

    async def run(self) -> None:
        """Deliver until stopped; a database that is away is waited for."""
        while not self._is_stopping:
            self._stirred.clear()
            pause = await self._take_turn()
            try:
                async with asyncio.timeout(pause):
                    await self._stirred.wait()
            except TimeoutError:
                continue
            await asyncio.sleep(GATHER_SECONDS)

    def stop(self) -> None:
        """Claim nothing more; `run` returns after its turn."""
        self._is_stopping = True
        self._stirred.set()

    async def finish(self, grace_seconds: float) -> None:
        """Wait for what is under way, then settle it and give the rest back to the queue."""
        self._lanes.empty()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace_seconds)
        given_up = list(self._under_way.values())
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._actions.close()
        done = self._take_done()
        try:
            await self._database.run_once(lambda: self._end(done, given_up))
        except DBAPIError as error:
            log.warning("leases_left_to_expire", why=type(error.orig).__name__)

    async def _take_turn(self) -> float:
        """Settle, claim and start; return for how many seconds nothing can be due."""
        # Should the database be away meanwhile, what ended is settled when it is back.
        done, held = self._take_done(), self._lanes.held()
        claims = await self._database.run(lambda: self._turn(done, held))
        for claimed in claims.claimed:
            self._lanes.add(claimed)
        if claims.more_at is None:
            return LONGEST_PAUSE_SECONDS
        seconds = (claims.more_at - now()).total_seconds()
        return min(max(seconds, 0.0), LONGEST_PAUSE_SECONDS)

    def _take_done(self) -> _Done:
        finished, self._finished = self._finished, []
        return _Done(finished, self._lanes.take_returned())

    def _turn(self, done: _Done, held: Mapping[str, int]) -> Claims:
        moment = now()
        capacity = MOST_HELD - sum(held.values())
        if not done.finished and not done.returned:
            with self._hub.database.read() as session:
                earliest = min(first_due(session).values(), default=None)
            if earliest is None or earliest > moment or capacity <= 0:
                return Claims([], earliest)
        try:
            return self._settle_and_claim(done, held, capacity=capacity)
        except OUTAGES:
            raise
        except Exception as error:  # noqa: BLE001 - its text would repeat the values of rows
            # One attempt that cannot be written down must not hold up all the others.
            log.error("settling_failed", attempts=len(done.finished), why=name_of(error))
            settle_apart(self._hub.database, done.finished)
            return self._settle_and_claim(_Done([], done.returned), held, capacity=capacity)

    def _settle_and_claim(self, done: _Done, held: Mapping[str, int], *, capacity: int) -> Claims:
        moment = now()
        with self._hub.database.write() as session:
            settle(session, done.finished, moment)
            release_claimed(session, done.returned, moment)
            if capacity <= 0:
                return Claims([], None)
            lease = Lease(new_id("lea"), moment, moment + self._lease)
            return claim(session, lease, capacity=capacity, held=held)

    async def keep_leases(self) -> None:
        """Hold on to what takes long; a vendor may, and work waits for a thread to ask it."""
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 4)
            begun_before = now() - self._lease / 4
            long = [c for c in self._under_way.values() if c.lease.taken_at < begun_before]
            if long:
                await self._database.run(partial(self._renew, long))

    def _renew(self, claimed: Sequence[Claimed]) -> None:
        with self._hub.database.write() as session:
            renew(session, claimed, now() + self._lease)

    def _end(self, done: _Done, given_up: Sequence[Claimed]) -> None:
        with self._hub.database.write() as session:
            settle(session, done.finished, now())
            bury_claimed(session, given_up, now())
            release_claimed(session, [*done.returned, *given_up], now())

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attempt(self, claimed: Claimed) -> bool:
        """Make one attempt, keep its end for the next turn, and say whether more may follow."""
        self._under_way[claimed.id] = claimed
        try:
            result = await self._result(claimed)
            # Only now: a turn may have put another list in this place meanwhile.
            self._finished.append(Finished(claimed, result))
        finally:
            del self._under_way[claimed.id]
            self._stirred.set()
        return result.judgement.outcome not in ("retry", "gone")

    async def _result(self, claimed: Claimed) -> AttemptResult:
        """Make one attempt; whatever goes wrong concerns this delivery alone."""
        if claimed.event is None:
            return not_sent(_REMOVED)
        try:
            opened = self._book.open(claimed.destination)
            job = Job(
                delivery_id=claimed.id,
                target=opened.target,
                secrets=opened.secrets,
                document=build_envelope(claimed.event),
                mapping=claimed.mapping,
            )
            return await make_attempt(job, self._sender_for(claimed.destination, opened.target))
        except SecretUnreadable as error:
            return not_sent(Judgement("retry", "config", error.message))
        except Exception:
            log.exception("attempt_failed", delivery_id=claimed.id)
            target = find_target(claimed.destination.kind)
            is_action = target is not None and not target.has_address
            return not_sent(_BROKEN_ACTION if is_action else _BROKEN)

    def _sender_for(self, destination: Destination, target: Target) -> Sender:
        return self._sender if target.has_address else self._actions.sender_for(destination)
