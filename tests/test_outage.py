"""A database that is away for a while loses nothing, and nobody has to start anything again."""

import json
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
import requests
from sqlmodel import select

from lib.connections.integrations import Issued
from lib.hub import Hub, prepare_hub
from lib.models import Delivery
from lib.outgoing import routes
from lib.outgoing.routes import RouteDraft
from lib.providers.registry import get_provider
from tests.conftest import fail_or_skip, make_settings
from tests.delivering import make_destination, owner_of
from tests.factories import make_user
from tests.fakes.counting import CountingSink
from tests.fakes.server import running
from tests.postgres import PostgresServer, ServerMissing, run_postgres
from tests.processes import free_port, receiver_process, start_worker
from tests.receiving import connect, stored_events

SENDERS = 4
PAUSE_SECONDS = 0.01
# Longer than workers and listeners wait before they look for the database again.
OUTAGE_SECONDS = 5.0
# What was claimed when the database went away is taken again after a lease of a minute.
PATIENCE_SECONDS = 150

Cluster = Callable[[], AbstractContextManager[PostgresServer]]


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A server of the test's own, which may be started again at the same address."""
    folder = Path(tempfile.mkdtemp(prefix="hub-postgres-", dir="/tmp"))
    yield partial(run_postgres, at=folder, port=free_port())
    shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Vendor:
    """Posts one event after another, and each again until it is acknowledged."""

    issued: Issued
    url: str
    acknowledged: dict[str, str] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    ended: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Post from several threads until the block ends; each ends with an acknowledgement."""
        threads = [threading.Thread(target=self._send, args=(each,)) for each in range(SENDERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.ended.set()
            for thread in threads:
                thread.join()

    def _send(self, sender: int) -> None:
        number = 0
        with requests.Session() as session:
            session.headers["x-hub-secret"] = self.issued.inbound_secret or ""
            while not self.ended.is_set():
                self._send_until_acknowledged(session, f"{sender}/{number}")
                number += 1

    def _send_until_acknowledged(self, session: requests.Session, name: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while name not in self.acknowledged and time.monotonic() < deadline:
            content = {"type": "order.created", "name": name}
            answer = session.post(self.url, json=content, timeout=30)
            self.statuses[answer.status_code] += 1
            if answer.status_code == 200:
                self.acknowledged[name] = answer.json()["id"]
            time.sleep(PAUSE_SECONDS)


@contextmanager
def working(hub: Hub) -> Iterator[None]:
    """Run a whole worker, which must live until the block ends."""
    networks = {"HUB_ALLOWED_PRIVATE_NETWORKS": "127.0.0.0/8", "HUB_DELIVERY_LEASE_SECONDS": "4"}
    worker = start_worker(hub.settings, **networks)
    try:
        yield
        assert worker.poll() is None, "the worker ended"
        worker.terminate()
        assert worker.wait(20) == 0
    finally:
        worker.kill()
        worker.wait()


def test_trap_6_a_database_that_is_stopped_and_started_loses_nothing(
    cluster: Cluster, tmp_path: Path
) -> None:
    sink, port = CountingSink(), free_port()
    with ExitStack() as life, ExitStack() as processes:
        try:
            server = life.enter_context(cluster())
        except ServerMissing as error:
            fail_or_skip(str(error))
        hub = prepare_hub(make_settings(server.url, tmp_path))
        processes.callback(hub.close)
        origin = processes.enter_context(running(sink))
        vendor = prepare_vendor(hub, origin, port)
        processes.enter_context(receiver_process(hub.settings, port))
        processes.enter_context(working(hub))
        with vendor.sending():
            wait_until(lambda: len(vendor.acknowledged) > 200 and len(sink.arrived) > 50)
            life.close()
            time.sleep(OUTAGE_SECONDS)
            before = len(vendor.acknowledged)
            life.enter_context(cluster())
            wait_until(lambda: len(vendor.acknowledged) > before + 200)
        wait_until(lambda: is_all_done(hub, len(vendor.acknowledged)))
        assert set(vendor.statuses) == {200, get_provider("make").unavailable_status}
        events = stored_events(hub)
        by_name = {json.loads(event.payload)["name"]: event.id for event in events}
        assert len(by_name) == len(events), "no event is there twice"
        assert by_name == vendor.acknowledged, "what is stored is what was acknowledged"
        assert {delivery.event_id for delivery in deliveries(hub)} == set(by_name.values())
        assert set(sink.arrived) == {delivery.id for delivery in deliveries(hub)}


def prepare_vendor(hub: Hub, origin: str, port: int) -> Vendor:
    """Connect one whose events a route sends on to `origin`."""
    issued = connect(hub, make_user(hub), "make")
    owner = owner_of(issued.integration)
    destination = make_destination(hub, owner, f"{origin}/")
    routes.add(hub, owner, RouteDraft(issued.integration.id, destination.id))
    return Vendor(issued, issued.integration.webhook_url.replace(":8000", f":{port}"))


def is_all_done(hub: Hub, count: int) -> bool:
    """Tell whether so many events are processed and delivered once each."""
    done = [event for event in stored_events(hub) if event.status == "success"]
    sent = [delivery for delivery in deliveries(hub) if delivery.status == "delivered"]
    return len(done) == len(sent) == count


def deliveries(hub: Hub) -> list[Delivery]:
    """Return all deliveries."""
    with hub.database.read() as session:
        return list(session.exec(select(Delivery)))


def wait_until(is_met: Callable[[], bool]) -> None:
    """Return once the condition holds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_met():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.2)
