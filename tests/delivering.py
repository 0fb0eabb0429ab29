"""Destinations with queues, a sender that answers as told, and a deliverer run to its end."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert
from sqlmodel import col, select

from lib.access import Actor, Role
from lib.clock import now
from lib.connections.integrations import Integration
from lib.hub import Hub
from lib.ids import new_id
from lib.models import Delivery, DeliveryAttempt, Destination, DestinationState
from lib.outgoing.exchange import Exchange, Fault, OutgoingRequest, Timings
from lib.providers.targets import Reply
from lib.worker.database_thread import DatabaseThread
from lib.worker.delivering import Deliverer
from tests import outgoing_factories

OK = Exchange(Timings(1.0), Reply(200, {"content-type": "text/plain"}, b"thanks"))
TIMEOUT = Exchange(Timings(30_000.0), fault=Fault("timeout", "No answer in time.", was_sent=True))


def answer(status: int, body: bytes = b"", **headers: str) -> Exchange:
    """Return the exchange of one answer; header names are given with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Exchange(Timings(2.0), Reply(status, named, body))


@dataclass
class ScriptedSender:
    """Answers each address with its script, then with `OK`; keeps what it was sent."""

    scripts: Mapping[str, Sequence[Exchange]] = field(default_factory=dict)
    delay: Callable[[str], float] = lambda _url: 0.0
    sent: list[OutgoingRequest] = field(default_factory=list)
    running: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    most_running: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def __post_init__(self) -> None:
        self._left = {url: deque(script) for url, script in self.scripts.items()}

    async def post(self, request: OutgoingRequest) -> Exchange:
        """Take the request and answer by the script."""
        self.sent.append(request)
        self.running[request.url] += 1
        self.most_running[request.url] = max(
            self.most_running[request.url], self.running[request.url]
        )
        await asyncio.sleep(self.delay(request.url))
        self.running[request.url] -= 1
        script = self._left.get(request.url)
        return script.popleft() if script else OK

    def count(self, url: str) -> int:
        """Return how many requests an address got."""
        return sum(request.url == url for request in self.sent)


def make_destination(
    hub: Hub, owner: Actor, url: str = "https://sink.example.com/a", **changes: Any
) -> Destination:
    """Insert a destination of the kind http with a closed breaker and one token to spend."""
    return outgoing_factories.make_destination(hub, owner, url=url, tokens=1.0, **changes)


def owner_of(item: Integration) -> Actor:
    """Return the member whose integration it is."""
    return Actor(id=item.user_id, email="ada@example.com", name="Ada", role=Role.MEMBER)


def queue(
    hub: Hub, item: Integration, event_id: str, *, destination: Destination, count: int = 1
) -> list[str]:
    """Queue deliveries of one event that are due now; return their ids in order."""
    moment = now()
    rows = [
        {
            "id": new_id("dlv"),
            "user_id": item.user_id,
            "event_id": event_id,
            "destination_id": destination.id,
            "integration_id": item.id,
            "service_name": item.service_name,
            "event_type": "message.received",
            "status": "pending",
            "attempts": 0,
            "next_attempt_at": moment,
            "created_at": moment,
        }
        for _ in range(count)
    ]
    with hub.database.write() as session:
        session.execute(insert(Delivery), rows)
    return [str(row["id"]) for row in rows]


def deliver(hub: Hub, sender: ScriptedSender, *, until: Callable[[], bool]) -> None:
    """Run one deliverer until the condition holds, ten seconds at most; then end it cleanly."""
    asyncio.run(_deliver(hub, sender, until))


async def _deliver(hub: Hub, sender: ScriptedSender, until: Callable[[], bool]) -> None:
    database = DatabaseThread(hub.database)
    deliverer = Deliverer(hub, sender, database)
    running = asyncio.create_task(deliverer.run())
    holding = asyncio.create_task(deliverer.keep_leases())
    try:
        async with asyncio.timeout(30):
            while not until():
                if running.done():
                    running.result()
                await asyncio.sleep(0.01)
    finally:
        holding.cancel()
        deliverer.stop()
        await running
        await deliverer.finish(1.0)
        database.close()


def get_delivery(hub: Hub, delivery_id: str) -> Delivery:
    """Return a delivery as it is stored."""
    with hub.database.read() as session:
        return session.exec(select(Delivery).where(col(Delivery.id) == delivery_id)).one()


def attempts_of(hub: Hub, delivery_id: str) -> list[DeliveryAttempt]:
    """Return the attempts of a delivery, oldest first."""
    query = (
        select(DeliveryAttempt)
        .where(col(DeliveryAttempt.delivery_id) == delivery_id)
        .order_by(col(DeliveryAttempt.id))
    )
    with hub.database.read() as session:
        return list(session.exec(query))


def state_of(hub: Hub, destination: Destination) -> DestinationState:
    """Return the breaker and budget of a destination."""
    with hub.database.read() as session:
        return session.get_one(DestinationState, destination.id)


def make_due(hub: Hub, delivery_id: str) -> None:
    """Let a queued delivery be due now, as time would."""
    with hub.database.write() as session:
        session.get_one(Delivery, delivery_id).next_attempt_at = now()


def waits(row: Delivery, since: datetime) -> timedelta:
    """Return how long after `since` the next attempt is due."""
    assert row.next_attempt_at is not None
    return row.next_attempt_at - since
