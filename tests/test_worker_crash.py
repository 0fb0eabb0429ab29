"""Workers that die in the middle of their work lose no delivery and keep none held."""

import random
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import col, func, select

from lib.hub import Hub
from lib.models import Delivery, DeliveryAttempt
from tests.delivering import make_destination, owner_of, queue
from tests.event_factories import make_event, make_integration
from tests.factories import make_user
from tests.fakes.counting import CountingSink
from tests.fakes.server import running
from tests.processes import start_worker

DELIVERIES = 20_000
DESTINATIONS = 4
WORKERS = 3
KILLS = 10
LEASE_SECONDS = "4"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_workers_killed_at_random_deliver_everything(hub: Hub) -> None:
    dice = random.Random()
    sink = CountingSink()
    with running(sink) as origin:
        ids = queue_all(hub, origin)
        workers = [start(hub) for _ in range(WORKERS)]
        held_at_kills = 0
        try:
            wait_until(lambda: len(sink.arrived) > 100)
            for _ in range(KILLS):
                time.sleep(dice.uniform(0.2, 0.9))
                victim = dice.randrange(WORKERS)
                workers[victim].kill()
                held_at_kills += count(hub, col(Delivery.lease_until).is_not(None))
                workers[victim].wait()
                workers[victim] = start(hub)
            wait_until(lambda: count(hub, col(Delivery.status) == "delivered") == DELIVERIES)
        finally:
            for worker in workers:
                worker.terminate()
            endings = [worker.wait(20) for worker in workers]
    assert endings == [0] * WORKERS
    assert set(sink.arrived) == set(ids), "every delivery arrived"
    repeated = sink.arrived.total() - DELIVERIES
    assert 0 <= repeated <= held_at_kills, "only what was under way at a kill came again"
    assert count(hub, col(Delivery.lease_id).is_not(None)) == 0, "nothing stays leased"
    with hub.database.read() as session:
        recorded = session.exec(select(func.count()).select_from(DeliveryAttempt)).one()
    assert DELIVERIES <= recorded <= sink.arrived.total()


def queue_all(hub: Hub, origin: str) -> list[str]:
    item = make_integration(hub, make_user(hub))
    event_id = make_event(hub, item)
    ids: list[str] = []
    for number in range(DESTINATIONS):
        destination = make_destination(hub, owner_of(item), f"{origin}/{number}")
        share = DELIVERIES // DESTINATIONS
        ids += queue(hub, item, event_id, destination=destination, count=share)
    return ids


def start(hub: Hub) -> "subprocess.Popen[bytes]":
    return start_worker(
        hub.settings,
        HUB_ALLOWED_PRIVATE_NETWORKS="127.0.0.0/8",
        HUB_DELIVERY_LEASE_SECONDS=LEASE_SECONDS,
    )


def count(hub: Hub, condition: Any) -> int:
    with hub.database.read() as session:
        return session.exec(select(func.count()).select_from(Delivery).where(condition)).one()


def wait_until(is_met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not is_met():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.1)
