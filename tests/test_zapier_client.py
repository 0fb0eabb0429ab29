"""A client that does what a Zapier app does, from the connection's test to the end of a Zap."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from standardwebhooks.webhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from lib.errors import InvalidInput
from lib.hub import Hub
from lib.outgoing import destinations
from lib.outgoing.hook_sender import HookSender
from lib.outgoing.hook_subscriptions import withdraw
from lib.people import users
from lib.worker.loop import Worker
from tests.calling import calling, use_actions
from tests.fakes.server import running
from tests.networks import LOOPBACK
from tests.raw_server import OK, RawServer, send, serving
from tests.receiving import connect, post, sign

GONE = b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n"


class Halted(Exception):
    """A step of a Zap that stops, with the message that its owner reads."""

    def __init__(self, answer: httpx2.Response) -> None:
        super().__init__(answer.json()["detail"])
        self.status = answer.status_code
        self.headers = answer.headers


@dataclass
class ZapierApp:
    """The parts of an app that Zapier runs; `secret` is the API key of the connection."""

    client: TestClient
    secret: str
    seen: set[str] = field(default_factory=set)
    subscribed: dict[str, Any] = field(default_factory=dict)

    def test_connection(self) -> str:
        """Return the label of the connection."""
        me = self._call("GET", "/api/me").json()
        return f"{me['name']} ({me['email']})"

    def subscribe(self, target_url: str, event: str) -> None:
        """Turn a Zap on; the answer is kept as `bundle.subscribeData`."""
        body = {"target_url": target_url, "event": event}
        answer = self._call("POST", "/api/hooks", body)
        assert answer.status_code == 201
        self.subscribed = answer.json()

    def unsubscribe(self) -> None:
        """Turn the Zap off."""
        self._call("DELETE", f"/api/hooks/{self.subscribed['id']}")

    def perform_list(self, event: str) -> list[dict[str, Any]]:
        """Return samples for the editor."""
        found = self._call("GET", f"/api/events/samples?event={event}&limit=3").json()
        assert isinstance(found, list)
        return found

    def poll(self, event: str) -> list[dict[str, Any]]:
        """Return what is new since the poll before, oldest first."""
        found = self._call("GET", f"/api/events?type={event}&limit=100").json()
        assert len({item["id"] for item in found}) == len(found)
        new = [item for item in reversed(found) if item["id"] not in self.seen]
        self.seen |= {item["id"] for item in found}
        return new

    def create(self, path: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Run an action that answers with one object."""
        made = self._call("POST", path, fields).json()
        assert isinstance(made, dict)
        assert made["id"]
        return made

    def search(self, path: str, fields: dict[str, Any]) -> list[dict[str, Any]]:
        """Run a search that answers with a list, best first."""
        answer = self._call("POST", path, fields)
        assert answer.status_code == 200
        found = answer.json()
        assert isinstance(found, list)
        return found

    def _call(self, method: str, path: str, body: Any = None) -> httpx2.Response:
        sent = {} if body is None else {"json": body}
        headers = {"x-api-key": self.secret, "user-agent": "Zapier"}
        answer = self.client.request(method, path, headers=headers, **sent)
        if answer.status_code >= 400:
            assert len(answer.json()["detail"]) <= 250
            raise Halted(answer)
        return answer


@pytest.fixture
def app(hub: Hub) -> Iterator[ZapierApp]:
    with calling(hub, allowed_private_networks=LOOPBACK) as ada:
        yield ZapierApp(ada.client, ada.secret)


def work(hub: Hub, *, until: Callable[[], bool]) -> None:
    """Run a whole worker with its real sender until the condition holds, ten seconds at most."""

    async def run() -> None:
        async with HookSender(LOOPBACK) as sender:
            worker = Worker(hub, sender)
            running = asyncio.create_task(worker.run())
            async with asyncio.timeout(10):
                while not until():
                    if running.done():
                        break
                    await asyncio.sleep(0.02)
            worker.stop()
            await running

    asyncio.run(run())


@contextmanager
def zap(answer: bytes) -> Iterator[tuple[RawServer, str]]:
    """Yield a Zap's end that answers with these bytes, and its address."""
    with serving(send(answer)) as server:
        yield server, f"http://127.0.0.1:{server.port}/hooks/standard/123456/abcdef/"


def pending(app: ZapierApp) -> list[dict[str, Any]]:
    """Return the events that the worker has not looked at."""
    headers = {"x-api-key": app.secret}
    found: list[dict[str, Any]] = app.client.get(
        "/api/events?status=pending", headers=headers
    ).json()
    return found


def deliveries(app: ZapierApp) -> list[str]:
    headers = {"x-api-key": app.secret}
    return [row["status"] for row in app.client.get("/api/deliveries", headers=headers).json()]


class Shop:
    """A service of the member that sends signed orders to the hub."""

    def __init__(self, hub: Hub, app: ZapierApp) -> None:
        owner = users.find_user(hub, "ada@example.com")
        assert owner is not None
        self.owner = owner
        self._client = app.client
        self._issued = connect(hub, owner, "webhook")

    def sell(self, number: int) -> None:
        """Send one order."""
        body = {"type": "order.paid", "number": number, "email": "grace@example.org"}
        signed = sign(self._issued, body, unique=f"order_{number}")
        assert post(self._client, self._issued.integration.webhook_url, signed).status_code == 200

    @property
    def actions(self) -> str:
        """Return the address of what the service can do."""
        return f"/api/integrations/{self._issued.integration.id}/actions"


@pytest.fixture
def shop(hub: Hub, app: ZapierApp) -> Shop:
    return Shop(hub, app)


def test_the_connection_is_tested(app: ZapierApp) -> None:
    assert app.test_connection() == "Ada (ada@example.com)"
    app.secret = "hub_something_else"
    with pytest.raises(Halted) as caught:
        app.test_connection()
    assert caught.value.status == 401


def test_a_zap_hears_of_each_event_until_it_is_turned_off(
    hub: Hub, app: ZapierApp, shop: Shop
) -> None:
    with zap(OK) as (server, url):
        app.subscribe(url, "order.paid")
        shop.sell(1)
        work(hub, until=lambda: deliveries(app) == ["accepted"])
        app.unsubscribe()
        app.unsubscribe()
        shop.sell(2)
        work(hub, until=lambda: not pending(app))
        assert len(server.bodies) == 1
    event = json.loads(server.bodies[0])
    assert (event["type"], event["data"]["number"]) == ("order.paid", 1)
    # One object per request, with the keys of the samples, so that mapped fields stay mapped.
    sample = app.perform_list("order.paid")[-1]
    assert sample == event


def test_what_a_zap_hears_is_signed(hub: Hub, app: ZapierApp, shop: Shop) -> None:
    got: list[tuple[dict[str, str], bytes]] = []

    async def take(request: Request) -> Response:
        got.append((dict(request.headers), await request.body()))
        return Response("{}")

    with running(Starlette(routes=[Route("/hook", take, methods=["POST"])])) as url:
        app.subscribe(f"{url}/hook", "*")
        shop.sell(1)
        work(hub, until=lambda: deliveries(app) == ["accepted"])
    ((headers, body),) = got
    Webhook(app.subscribed["signing_secret"]).verify(body, headers)


def test_samples_are_there_before_the_zap_is_turned_on(app: ZapierApp, shop: Shop) -> None:
    assert app.perform_list("order.unheard_of") == []
    for number in range(4):
        shop.sell(number)
    assert [sample["data"]["number"] for sample in app.perform_list("order.paid")] == [3, 2, 1]


def test_polling_finds_each_event_once(app: ZapierApp, shop: Shop) -> None:
    shop.sell(1)
    assert [event["data"]["number"] for event in app.poll("order.paid")] == [1]
    assert app.poll("order.paid") == []
    shop.sell(2)
    shop.sell(3)
    assert [event["data"]["number"] for event in app.poll("order.paid")] == [2, 3]


def test_actions_answer_with_one_object_and_searches_with_a_list(
    app: ZapierApp, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"{shop.actions}/find_contact"
    use_actions(monkeypatch, {"contact": "Grace"})
    assert app.create(path, {"email": "grace@example.org"})["contact"] == "Grace"
    use_actions(monkeypatch, [])
    assert app.search(path, {"email": "nobody@example.org"}) == []
    refusal = InvalidInput("Give an e-mail address such as a@b.c.", field="email")
    use_actions(monkeypatch, refusal)
    with pytest.raises(Halted, match="Give an e-mail address") as caught:
        app.create(path, {})
    assert caught.value.status == 422


def test_too_many_requests_are_told_when_to_come_back(hub: Hub) -> None:
    with calling(hub, api_requests_per_minute=2) as ada:
        app = ZapierApp(ada.client, ada.secret)
        app.poll("order.paid")
        app.poll("order.paid")
        with pytest.raises(Halted) as caught:
            app.poll("order.paid")
        assert caught.value.status == 429
        assert caught.value.headers["retry-after"].isdecimal()


def test_a_zap_that_is_gone_ends_its_subscription(hub: Hub, app: ZapierApp, shop: Shop) -> None:
    with zap(GONE) as (server, url):
        app.subscribe(url, "order.paid")
        shop.sell(1)
        work(hub, until=lambda: deliveries(app) == ["dead"])
        shop.sell(2)
        work(hub, until=lambda: not pending(app))
        assert len(server.bodies) == 1
        assert deliveries(app) == ["dead"], "nothing more is routed to what is gone"
    (place,) = app.client.get("/api/destinations", headers={"x-api-key": app.secret}).json()
    assert (place["id"], place["status"]) == (app.subscribed["id"], "disabled")
    app.unsubscribe()
    app.unsubscribe()
    assert app.client.get("/api/destinations", headers={"x-api-key": app.secret}).json() == []


def test_a_zap_whose_hook_a_member_removes_is_told(hub: Hub, app: ZapierApp, shop: Shop) -> None:
    settings = hub.settings.model_copy(update={"allowed_private_networks": LOOPBACK})
    own = Hub(settings=settings, database=hub.database, vault=hub.vault)
    with zap(GONE) as (server, url):
        app.subscribe(url, "order.paid")
        place = destinations.get(hub, shop.owner, app.subscribed["id"])
        withdraw(own, shop.owner, place.id, typed_name=place.name)
    assert [head.split()[0] for head in server.heads] == ["delete"]
    assert app.client.get("/api/destinations", headers={"x-api-key": app.secret}).json() == []


def test_samples_stand_in_while_nothing_has_come(app: ZapierApp, shop: Shop) -> None:
    (sample,) = app.perform_list("contact.created")
    assert sample.keys() == {"id", "type", "timestamp", "service_name", "integration_id", "data"}
    assert sample["type"] == "contact.created"
    assert sample["data"]
