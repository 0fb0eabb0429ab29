"""Destinations and what is on its way to them, with targets and a sender that need no network."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from lib.access import Actor
from lib.clock import now
from lib.connections.integrations import Integration
from lib.errors import InvalidInput
from lib.hub import Hub
from lib.ids import new_id
from lib.models import Delivery, DeliveryRollup, DestinationState
from lib.outgoing import destinations, routes, trials
from lib.outgoing.destination_views import DestinationDraft, DestinationView, IssuedDestination
from lib.outgoing.exchange import Exchange, OutgoingRequest, Timings
from lib.outgoing.routes import RouteDraft, RouteView
from lib.providers.fields import CredentialField, Values
from lib.providers.registry import get_provider
from lib.providers.targets import Judgement, RateLimit, Reply, Target, judge_status
from lib.settings import Settings

TOKEN_PART = "q8w7e6r5t4y3u2i1"
URL = f"https://hooks.example.com:8443/catch/{TOKEN_PART}?who=secret-query"
API_KEY = "key-0123456789abcdef"
SIGNING_START = "whsec_"


class PlainHook(Target):
    kind = "plain_hook"
    takes_subscriptions = True
    label = "Plain hook"
    url_help = "Enter an https address."
    success_note = "The other side answered."

    def check_url(self, url: str, settings: Settings) -> None:
        if not url.startswith("https://"):
            raise InvalidInput(f"This is no address of a hook. {self.url_help}", field="url")

    def judge(self, reply: Reply) -> Judgement:
        return judge_status(reply.status)


class KeyedHook(PlainHook):
    kind = "keyed_hook"
    label = "Keyed hook"
    rate_limit = RateLimit(25.0, 9_000)
    fields = (
        CredentialField("api_key", "API key", "Sent with each request.", is_secret=True),
        CredentialField("team", "Team", "Its number.", pattern=r"\d+", pattern_help="Digits only."),
    )
    mappings: Mapping[str, str] = {"Type and id": "{event_type: type, id: id}"}

    def headers(self, values: Values) -> dict[str, str]:
        return {"x-api-key": values["api_key"]} if "api_key" in values else {}


class SenderDouble:
    """Answers as it is told and keeps what it was asked to send."""

    def __init__(self) -> None:
        self.requests: list[OutgoingRequest] = []
        self.reply = Reply(200, {}, b'{"ok": true}')
        self.exchange: Exchange | None = None

    async def post(self, request: OutgoingRequest) -> Exchange:
        self.requests.append(request)
        return self.exchange or Exchange(Timings(12.5, dns_ms=1.0), reply=self.reply)


def use_targets(monkeypatch: pytest.MonkeyPatch) -> SenderDouble:
    """Offer the two kinds above alone, sign with made-up secrets, and send to the double."""
    counter = iter(range(1, 10_000))
    for provider in ("twilio", "gohighlevel", "make", "zapier"):
        monkeypatch.setattr(type(get_provider(provider)), "targets", ())
    monkeypatch.setattr(type(get_provider("webhook")), "targets", (PlainHook(), KeyedHook()))
    monkeypatch.setattr(
        "lib.outgoing.signing.issue_signing_secret",
        lambda: f"{SIGNING_START}{next(counter):032d}",
    )
    monkeypatch.setattr(
        "lib.outgoing.attempt.signature_headers",
        lambda message_id, moment, body, *, secrets: {
            "webhook-id": message_id,
            "webhook-signature": " ".join(f"v1,{len(secret)}" for secret in secrets),
        },
    )
    sender = SenderDouble()

    @asynccontextmanager
    async def open_double(_settings: Settings) -> AsyncIterator[SenderDouble]:
        yield sender

    monkeypatch.setattr(trials, "open_sender", open_double)
    return sender


def add_destination(
    hub: Hub, actor: Actor, name: str = "Warehouse", *, kind: str = "plain_hook", **more: Any
) -> IssuedDestination:
    """Add a destination by its use case."""
    values = {"api_key": API_KEY} if kind == "keyed_hook" else {}
    draft = DestinationDraft(**{"name": name, "url": URL, "values": values, **more})
    return destinations.add(hub, actor, kind=kind, draft=draft)


def add_route(
    hub: Hub, actor: Actor, item: Integration, destination: DestinationView, **more: Any
) -> RouteView:
    """Add a route by its use case."""
    return routes.add(
        hub, actor, RouteDraft(integration_id=item.id, destination_id=destination.id, **more)
    )


def queue_delivery(
    hub: Hub,
    event_id: str,
    destination: DestinationView,
    *,
    status: str = "pending",
    due_in: timedelta = timedelta(0),
) -> str:
    """Insert a delivery of an event in this status and return its id."""
    moment = now()
    row = Delivery(
        id=new_id("dlv"),
        user_id=destination.user_id,
        event_id=event_id,
        destination_id=destination.id,
        integration_id="int_of_event",
        service_name="twilio",
        event_type="message.received",
        status=status,
        attempts=0,
        next_attempt_at=moment + due_in if status in ("pending", "retrying") else None,
        lease_id="lea_1" if status == "sending" else None,
        lease_until=moment + timedelta(minutes=1) if status == "sending" else None,
        created_at=moment,
        finished_at=moment if status in ("delivered", "dead") else None,
    )
    with hub.database.write() as session:
        session.add(row)
    return row.id


def make_delivery_rollup(
    hub: Hub,
    destination: DestinationView,
    count: int,
    *,
    outcome: str = "delivered",
    bucket: int = 20,
    hour: datetime | None = None,
) -> None:
    """Insert the count of attempts of one hour, by default the present one."""
    with hub.database.write() as session:
        session.add(
            DeliveryRollup(
                hour=(hour or now()).replace(minute=0, second=0, microsecond=0),
                destination_id=destination.id,
                outcome=outcome,
                attempt=1,
                bucket=bucket,
                user_id=destination.user_id,
                count=count,
            )
        )


def set_state(hub: Hub, destination: DestinationView, **values: Any) -> None:
    """Change how a destination fares, as a worker would."""
    with hub.database.write() as session:
        row = session.get_one(DestinationState, destination.id)
        for name, value in values.items():
            setattr(row, name, value)
