"""Destinations, routes, deliveries and attempts, put straight into the tables."""

import json
from datetime import datetime
from typing import Any

from sqlmodel import select

from lib.access import Actor
from lib.clock import now
from lib.connections.integrations import Integration
from lib.hub import Hub
from lib.ids import new_id
from lib.models import (
    Delivery,
    DeliveryAttempt,
    Destination,
    DestinationState,
    IntegrationConfig,
    Route,
    WebhookEvent,
)
from lib.outgoing.issues import DeadLetter, note_dead

URL = "https://hooks.example.com/catch/s3cr3t-path"
SIGNING_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
_ENDS = ("delivered", "accepted", "dead", "cancelled")


def make_destination(
    hub: Hub,
    owner: Actor,
    name: str = "Warehouse",
    *,
    kind: str = "http",
    url: str = URL,
    **values: Any,
) -> Destination:
    """Insert a destination with its state row; `values` replace columns of either."""
    moment = now()
    row_id = new_id("dst")
    row = Destination(
        id=row_id,
        user_id=owner.id,
        name=name,
        kind=kind,
        url_host="hooks.example.com",
        config_data={},
        credentials={
            "url": _seal(hub, row_id, "url", url),
            "signing_secret": _seal(hub, row_id, "signing_secret", SIGNING_SECRET),
        },
        is_active=True,
        created_at=moment,
        updated_at=moment,
    )
    state = DestinationState(
        destination_id=row.id,
        breaker="closed",
        failures_in_row=0,
        times_opened=0,
        tokens=0.0,
        refilled_at=moment,
        window_started_at=moment,
        window_count=0,
    )
    for column, value in values.items():
        setattr(row if column in Destination.model_fields else state, column, value)
    with hub.database.write() as session:
        session.add(row)
        session.flush()
        session.add(state)
    return row


def make_route(
    hub: Hub,
    item: Integration | IntegrationConfig,
    destination: Destination,
    name: str = "Everything",
    **values: Any,
) -> Route:
    """Insert a route of all events from a connection to a destination."""
    moment = now()
    row = Route(
        id=new_id("rte"),
        user_id=item.user_id,
        integration_id=item.id,
        destination_id=destination.id,
        name=name,
        event_types=["*"],
        filters=[],
        is_active=True,
        created_at=moment,
        updated_at=moment,
    )
    return _store(hub, row, values)


def make_delivery(
    hub: Hub, event_id: str, destination: Destination, *, status: str = "pending", **values: Any
) -> Delivery:
    """Insert a delivery that keeps the queue's rules for its status."""
    moment = now()
    with hub.database.read() as session:
        event = session.exec(select(WebhookEvent).where(WebhookEvent.id == event_id)).one()
    row = Delivery(
        id=new_id("dlv"),
        user_id=event.user_id,
        event_id=event.id,
        destination_id=destination.id,
        integration_id=event.integration_id,
        service_name=event.service_name,
        event_type=event.event_type,
        status=status,
        attempts=0 if status in ("pending", "cancelled") else 1,
        created_at=moment,
    )
    if status in ("pending", "retrying"):
        row.next_attempt_at = moment
    if status == "sending":
        row.lease_id, row.lease_until = new_id("lea"), moment
    if status in _ENDS:
        row.finished_at = moment
    if status in ("delivered", "accepted"):
        row.response_status = 200
    if status in ("dead", "retrying"):
        row.response_status, row.error_class = 500, "http_5xx"
        row.last_error = "The other side failed with status 500."
    return _store(hub, row, values)


def make_attempt(
    hub: Hub, delivery: Delivery, *, number: int = 1, outcome: str = "delivered", **values: Any
) -> DeliveryAttempt:
    """Insert one attempt of a delivery: answered with 200, or with 500 unless it succeeded."""
    is_good = outcome in ("delivered", "accepted")
    row = DeliveryAttempt(
        id=new_id("att"),
        delivery_id=delivery.id,
        integration_id=delivery.integration_id,
        number=number,
        outcome=outcome,
        request_headers=json.dumps({"webhook-id": delivery.id, "user-agent": "MembersHub/1"}),
        request_bytes=321,
        response_status=200 if is_good else 500,
        response_headers=json.dumps({"server": "answering-words"}),
        response_body=b'{"ok": true}' if is_good else b"Sorry, Grace Hopper",
        dns_ms=1.5,
        connect_ms=12.25,
        tls_ms=20.0,
        first_byte_ms=180.0,
        total_ms=202.0,
        remote_address="198.51.100.23",
        error_class=None if is_good else "http_5xx",
        error=None if is_good else "The other side failed with status 500.",
        created_at=now(),
    )
    return _store(hub, row, values)


def make_issue(
    hub: Hub, *deliveries: Delivery, message: str | None = None, moment: datetime | None = None
) -> str:
    """Group dead deliveries of one cause as a worker does, and return their issue's id."""
    letters = [
        DeadLetter(
            delivery_id=delivery.id,
            user_id=delivery.user_id,
            destination_id=delivery.destination_id,
            error_class=delivery.error_class or "http_5xx",
            message=message or delivery.last_error or "",
        )
        for delivery in deliveries
    ]
    with hub.database.write() as session:
        found = note_dead(session, letters, moment or now())
        for delivery in deliveries:
            delivery.issue_id = found[delivery.id]
            session.merge(delivery)
    return found[deliveries[0].id]


def _store(hub: Hub, row: Any, values: dict[str, Any]) -> Any:
    for column, value in values.items():
        setattr(row, column, value)
    with hub.database.write() as session:
        session.add(row)
    return row


def _seal(hub: Hub, row_id: str, name: str, text: str) -> dict[str, str]:
    return {
        "sealed": hub.vault.seal(text, place=("destinations", row_id, name)),
        "last4": text[-4:],
        "set_at": now().isoformat(),
    }
