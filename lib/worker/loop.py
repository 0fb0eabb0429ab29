"""One worker: its steps run side by side, each in its own pace, until it is stopped."""

import asyncio
import socket
from datetime import timedelta

import structlog
from sqlalchemy import delete
from sqlmodel import col

from lib.alerts.detection import LOOK_SECONDS, Detection
from lib.alerts.detection import PAUSE_SECONDS as SLICE_PAUSE_SECONDS
from lib.alerts.sending import AlertSender
from lib.audit_chain import chain_new
from lib.backups.schedule import is_due
from lib.clock import now
from lib.hub import Hub
from lib.ids import new_id
from lib.laboratory import endpoints
from lib.models import WorkerHeartbeat
from lib.outgoing.claims import release_expired
from lib.outgoing.exchange import Sender
from lib.outgoing.interrupted import bury_expired
from lib.outgoing.replays import work_replays
from lib.processing.batch import process_batch
from lib.retention.rounds import PAUSE_SECONDS, RetentionWork
from lib.worker import backups
from lib.worker.database_thread import DatabaseThread
from lib.worker.delivering import LONGEST_PAUSE_SECONDS, Deliverer
from lib.worker.wakeup import watch

log = structlog.get_logger()

BEAT_SECONDS = 5.0
_LOOK_SECONDS = 1.0
_FORGET_SECONDS = 600.0
_FORGET_AFTER = timedelta(days=1)
# Less than the five seconds after which honcho kills.
_GRACE_SECONDS = 2.0


class Worker:
    """Processes events, sends deliveries and keeps house until `stop` is called."""

    def __init__(self, hub: Hub, sender: Sender) -> None:
        self._hub = hub
        self._id = new_id("wrk")
        self._started_at = now()
        self._database = DatabaseThread(hub.database)
        self._deliverer = Deliverer(hub, sender, self._database)
        self._alerts = AlertSender(hub, sender, self._database)
        self._arrived = asyncio.Event()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Ask the worker to finish what is under way and return."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until stopped; the first step that fails for good ends the worker."""
        delivering = asyncio.create_task(self._deliverer.run())
        steps = [
            asyncio.create_task(step)
            for step in (
                self._process(),
                self._keep_alive(),
                self._deliverer.keep_leases(),
                self._replay(),
                self._retain(),
                self._forget(),
                self._chain_audit(),
                self._look_out(),
                self._back_up(),
                self._alerts.run(),
                watch(self._hub.database, self._on_change),
                self._stopping.wait(),
            )
        ]
        done, _ = await asyncio.wait([delivering, *steps], return_when=asyncio.FIRST_COMPLETED)
        for step in steps:
            step.cancel()
        # A turn that runs may hold claims that nobody else knows of: it is not cut short.
        self._deliverer.stop()
        await asyncio.wait([delivering], timeout=_GRACE_SECONDS)
        delivering.cancel()
        await asyncio.gather(delivering, *steps, return_exceptions=True)
        await self._deliverer.finish(_GRACE_SECONDS)
        self._database.close()
        for ended in done:
            ended.result()

    def _on_change(self) -> None:
        self._arrived.set()
        self._deliverer.stir()

    async def _process(self) -> None:
        while True:
            self._arrived.clear()
            if await self._database.run(lambda: process_batch(self._hub)):
                self._deliverer.stir()
                continue
            try:
                async with asyncio.timeout(LONGEST_PAUSE_SECONDS):
                    await self._arrived.wait()
            except TimeoutError:
                pass

    async def _keep_alive(self) -> None:
        while True:
            await self._database.run(self._beat)
            await asyncio.sleep(BEAT_SECONDS)

    async def _replay(self) -> None:
        while True:
            if await self._database.run(lambda: work_replays(self._hub)):
                self._deliverer.stir()
            else:
                await asyncio.sleep(_LOOK_SECONDS)

    async def _retain(self) -> None:
        retention = RetentionWork(self._hub)
        while True:
            has_more = await self._database.run(retention.step)
            await asyncio.sleep(PAUSE_SECONDS if has_more else _LOOK_SECONDS)

    async def _forget(self) -> None:
        while True:
            await self._database.run(lambda: endpoints.prune(self._hub))
            await asyncio.sleep(_FORGET_SECONDS)

    async def _chain_audit(self) -> None:
        while True:
            if not await self._database.run(lambda: chain_new(self._hub)):
                await asyncio.sleep(_LOOK_SECONDS)

    async def _look_out(self) -> None:
        detection = Detection(self._hub)
        while True:
            has_more = await self._database.run(detection.step)
            await asyncio.sleep(SLICE_PAUSE_SECONDS if has_more else LOOK_SECONDS)

    async def _back_up(self) -> None:
        while True:
            if await self._database.run(lambda: is_due(self._hub)):
                await backups.run_backup(self._hub.settings)
            await asyncio.sleep(backups.LOOK_SECONDS)

    def _beat(self) -> int:
        """Give a sign of life, and take over from workers that gave none."""
        moment = now()
        with self._hub.database.write() as session:
            session.merge(
                WorkerHeartbeat(
                    id=self._id,
                    host=socket.gethostname(),
                    started_at=self._started_at,
                    beat_at=moment,
                )
            )
            session.execute(
                delete(WorkerHeartbeat).where(col(WorkerHeartbeat.beat_at) < moment - _FORGET_AFTER)
            )
            unsure = bury_expired(session, moment)
            released = release_expired(session, moment)
        if unsure:
            log.warning("sends_interrupted", deliveries=unsure)
        if released:
            log.warning("leases_expired", deliveries=released)
        return released
