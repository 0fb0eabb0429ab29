"""What the demo's events go onwards to: three destinations, and a sender that plays them."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass
from urllib.parse import urlsplit

from lib.access import Actor
from lib.clock import now
from lib.connections.integrations import Issued
from lib.hub import Hub
from lib.outgoing import destinations, routes
from lib.outgoing.claims import first_due
from lib.outgoing.destination_views import DestinationDraft
from lib.outgoing.exchange import Exchange, OutgoingRequest, Timings
from lib.outgoing.routes import RouteDraft
from lib.providers.registry import get_target
from lib.providers.targets import Reply
from lib.worker.database_thread import DatabaseThread
from lib.worker.delivering import Deliverer

_ADDRESS = "203.0.113.20"
# Every fifth request to a place takes an answer that it has not given yet.
_TURN = 5
_ACCEPTED = Reply(200, {"content-type": "text/plain"}, b"Accepted")
_SUCCESS = Reply(200, {"content-type": "application/json"}, b'{"status":"success"}')
_THANKS = Reply(200, {"content-type": "application/json"}, b'{"received":true}')
_BUSY = Reply(503, {"content-type": "text/html"}, b"<h1>Service Unavailable</h1>")


@dataclass(frozen=True)
class Place:
    """One invented destination: what it takes, and what it answers how often."""

    kind: str
    name: str
    url: str
    services: tuple[str, ...]
    answers: tuple[tuple[int, Reply], ...]
    # The ready-made mapping that its route uses, if any.
    mapping: str | None = None


PLACES = (
    Place(
        "make",
        "Follow-up scenario (demo)",
        f"https://hook.eu1.make.com/{'demo' * 8}",
        ("twilio", "gohighlevel"),
        (
            (92, _ACCEPTED),
            (5, Reply(429, {"content-type": "text/plain"}, b"Too many requests.")),
            (3, Reply(500, {"content-type": "text/plain"}, b"Scenario failed to complete.")),
        ),
        mapping="Trigger, data and timestamp",
    ),
    Place(
        "zapier",
        "Lead sheet (demo)",
        "https://hooks.zapier.com/hooks/catch/1234567/demodem/",
        ("gohighlevel", "zapier"),
        ((98, _SUCCESS), (2, _BUSY)),
        mapping="Event, contact and metadata",
    ),
    Place(
        "http",
        "Warehouse API (demo)",
        "https://warehouse.example.com/hooks/demo-data",
        ("make", "zapier"),
        (
            (88, _THANKS),
            (7, _BUSY),
            (5, Reply(422, {"content-type": "application/json"}, b'{"error":"unknown article"}')),
        ),
    ),
)


class DemoSender:
    """Answers as the places do, without a network.

    How much is sent depends on the hour, so each answer that was not rolled yet takes its turn:
    a demo always has something that died.
    """

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._answers = {urlsplit(place.url).hostname: place.answers for place in PLACES}
        self._not_given = {
            host: [reply for _, reply in answers] for host, answers in self._answers.items()
        }
        self._asked = Counter[str | None]()

    async def post(self, request: OutgoingRequest) -> Exchange:
        """Return one of the place's answers and likely times."""
        reply = self._choose(urlsplit(request.url).hostname)
        first_byte_ms = self._dice.lognormvariate(4.6, 0.6)
        timings = Timings(total_ms=first_byte_ms + 1, first_byte_ms=first_byte_ms)
        return Exchange(timings, reply=reply, remote_address=_ADDRESS)

    def _choose(self, host: str | None) -> Reply:
        answers, not_given = self._answers[host], self._not_given[host]
        (reply,) = self._dice.choices(
            [reply for _, reply in answers], [share for share, _ in answers]
        )
        self._asked[host] += 1
        if not_given and self._asked[host] % _TURN == 0:
            reply = not_given[-1]
        if reply in not_given:
            not_given.remove(reply)
        return reply


def add_places(hub: Hub, member: Actor, issued: dict[str, Issued]) -> None:
    """Add the destinations and a route to each from every service that it takes."""
    for place in PLACES:
        draft = DestinationDraft(name=place.name, url=place.url)
        added = destinations.add(hub, member, kind=place.kind, draft=draft)
        mappings = get_target(place.kind).mappings
        for service in place.services:
            route = RouteDraft(
                integration_id=issued[service].integration.id,
                destination_id=added.destination.id,
                mapping=mappings[place.mapping] if place.mapping else None,
            )
            routes.add(hub, member, route)


def deliver_due(hub: Hub, sender: DemoSender) -> None:
    """Send all that is due at the present moment of the clock."""
    asyncio.run(_deliver_due(hub, sender))


async def _deliver_due(hub: Hub, sender: DemoSender) -> None:
    database = DatabaseThread(hub.database)
    deliverer = Deliverer(hub, sender, database)
    delivering = asyncio.create_task(deliverer.run())
    while _is_any_due(hub):  # noqa: ASYNC110 - nobody announces that a queue has run empty
        await asyncio.sleep(0.01)
    deliverer.stop()
    await delivering
    await deliverer.finish(grace_seconds=5)
    database.close()


def _is_any_due(hub: Hub) -> bool:
    with hub.database.read() as session:
        return any(due_at <= now() for due_at in first_due(session).values())
