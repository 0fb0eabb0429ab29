"""The worker's round: a sign of life, due work, and a pause when there is none."""

import socket
import threading
from datetime import timedelta

import structlog
from sqlalchemy import delete
from sqlalchemy.exc import DBAPIError
from sqlmodel import col

from lib.clock import now
from lib.hub import Hub
from lib.ids import new_id
from lib.models import WorkerHeartbeat
from lib.processing import process_batch

log = structlog.get_logger()

IDLE_SECONDS = 0.25
OUTAGE_SECONDS = 2.0
BEAT_EVERY = timedelta(seconds=5)
_FORGET_AFTER = timedelta(days=1)


class Worker:
    """One worker; `run` returns soon after `stop` is called."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._id = new_id("wrk")
        self._started_at = now()
        self._beaten_at = self._started_at - BEAT_EVERY
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Ask the worker to finish its batch and return."""
        self._stopping.set()

    def run(self) -> None:
        """Work until stopped; a database that is away is waited for."""
        while not self._stopping.is_set():
            try:
                pause = self.round()
            except DBAPIError as error:
                log.warning("database_away", why=type(error.orig).__name__)
                pause = OUTAGE_SECONDS
            self._stopping.wait(pause)

    def round(self) -> float:
        """Do what is due now and return how many seconds may pass before the next round."""
        if now() - self._beaten_at >= BEAT_EVERY:
            self._beat()
        return 0.0 if process_batch(self._hub) else IDLE_SECONDS

    def _beat(self) -> None:
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
        self._beaten_at = moment
