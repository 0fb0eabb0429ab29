"""A whole worker: it hears of new events, sends them on, and leaves nothing held when it stops."""

import asyncio
from collections.abc import Callable

import pytest

from lib import overview
from lib.connections.integrations import Integration
from lib.hub import Hub
from lib.worker.loop import Worker
from lib.worker.wakeup import watch
from tests.delivering import (
    ScriptedSender,
    get_delivery,
    make_destination,
    owner_of,
    queue,
)
from tests.event_factories import make_event, make_integration
from tests.factories import make_integration_row, make_user
from tests.outgoing_factories import make_route
from tests.test_processing import put
from tests.test_routing import deliveries, receive

URL = "https://sink.example.com/a"


@pytest.fixture
def item(hub: Hub) -> Integration:
    return make_integration(hub, make_user(hub))


def work(hub: Hub, sender: ScriptedSender, *, until: Callable[[], bool]) -> None:
    """Run a worker until the condition holds, ten seconds at most, then stop it."""

    async def run() -> None:
        worker = Worker(hub, sender)
        running = asyncio.create_task(worker.run())
        async with asyncio.timeout(10):
            while not until():
                if running.done():
                    break
                await asyncio.sleep(0.01)
            worker.stop()
            await running

    asyncio.run(run())


def test_received_event_goes_all_the_way(hub: Hub, item: Integration) -> None:
    make_route(hub, item, make_destination(hub, owner_of(item), URL))
    receive(hub, item)
    sender = ScriptedSender()
    work(hub, sender, until=lambda: "delivered" in [row.status for row in deliveries(hub)])
    assert sender.count(URL) == 1
    assert overview.worker_state(hub).is_alive


def test_stopped_worker_gives_back_what_it_could_not_finish(hub: Hub, item: Integration) -> None:
    destination = make_destination(hub, owner_of(item), URL)
    (delivery_id,) = queue(hub, item, make_event(hub, item), destination=destination)
    sender = ScriptedSender(delay=lambda _url: 60.0)
    work(hub, sender, until=lambda: sender.count(URL) == 1)
    row = get_delivery(hub, delivery_id)
    assert (row.status, row.attempts, row.lease_id) == ("pending", 0, None)
    assert row.next_attempt_at is not None


def test_step_that_fails_for_good_ends_the_worker(
    hub: Hub, item: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_hub: Hub) -> int:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("lib.worker.loop.process_batch", fail)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        work(hub, ScriptedSender(), until=lambda: False)


def test_events_that_are_committed_elsewhere_are_heard(hub: Hub) -> None:
    row = make_integration_row(hub, make_user(hub), service_name="make")

    async def listen() -> None:
        heard = asyncio.Event()
        watching = asyncio.create_task(watch(hub.database, heard.set))
        await asyncio.sleep(0.3)
        heard.clear()
        async with asyncio.timeout(5):
            while not heard.is_set():
                await asyncio.to_thread(put, hub, row, 1)
                await asyncio.sleep(0.1)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    asyncio.run(listen())
