"""Old content for the tests of retention: rows made under a shifted clock, as they once were."""

import json
import os
from datetime import timedelta
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select

from lib.access import Actor
from lib.clock import now, shifted
from lib.connections.integrations import Integration
from lib.hub import Hub
from lib.ids import new_id
from lib.models import (
    ApiCall,
    Delivery,
    DeliveryAttempt,
    DeliveryRollup,
    Destination,
    EventKey,
    HourlyRollup,
    RejectedRequest,
    SearchDocument,
    WebhookEvent,
)
from lib.retention.rounds import RetentionWork
from tests.event_factories import make_event

COUNTED = (
    WebhookEvent,
    EventKey,
    SearchDocument,
    Delivery,
    DeliveryAttempt,
    ApiCall,
    RejectedRequest,
    HourlyRollup,
    DeliveryRollup,
)


def make_old_event(hub: Hub, item: Integration, days: int, **more: Any) -> str:
    """Insert an event as it came `days` days ago."""
    with shifted(-timedelta(days=days)):
        return make_event(hub, item, **more)


def make_destination_row(hub: Hub, owner: Actor) -> str:
    """Insert a destination without an address."""
    moment = now()
    row = Destination(
        id=new_id("dst"),
        user_id=owner.id,
        name="Elsewhere",
        kind="http",
        url_host="example.com",
        config_data={},
        credentials={},
        is_active=True,
        created_at=moment,
        updated_at=moment,
    )
    with hub.database.write() as session:
        session.add(row)
    return row.id


def make_delivery_row(
    hub: Hub, event_id: str, destination_id: str, *, status: str = "delivered", attempts: int = 1
) -> str:
    """Insert a delivery of an event, with its attempts, on the present (shifted) clock."""
    moment = now()
    with hub.database.write() as session:
        event = session.get_one(WebhookEvent, event_id)
        row = Delivery(
            id=new_id("dlv"),
            user_id=event.user_id,
            event_id=event_id,
            destination_id=destination_id,
            integration_id=event.integration_id,
            service_name=event.service_name,
            event_type=event.event_type,
            status=status,
            attempts=attempts,
            next_attempt_at=moment if status in ("pending", "retrying") else None,
            lease_id="lea_1" if status == "sending" else None,
            lease_until=moment if status == "sending" else None,
            created_at=moment,
            finished_at=moment,
        )
        session.add(row)
        session.flush()
        session.add_all(_attempt(row, number) for number in range(1, attempts + 1))
    return row.id


def make_records(hub: Hub, item: Integration, destination_id: str, *, days: int) -> None:
    """Insert a vendor call, a refusal and both kinds of counts as of `days` days ago."""
    with shifted(-timedelta(days=days)), hub.database.write() as session:
        moment = now()
        hour = moment.replace(minute=0, second=0, microsecond=0)
        owned = {"user_id": item.user_id, "integration_id": item.id}
        session.add(
            ApiCall(
                id=new_id("api"), **owned, method="GET", path="/", milliseconds=1, created_at=moment
            )
        )
        session.add(
            HourlyRollup(
                hour=hour,
                **owned,
                event_type="message.received",
                outcome="received",
                service_name=item.service_name,
                count=3,
            )
        )
        session.add(
            DeliveryRollup(
                hour=hour,
                destination_id=destination_id,
                outcome="delivered",
                attempt=1,
                bucket=1,
                user_id=item.user_id,
                count=3,
            )
        )


def fill(hub: Hub, item: Integration, *, count: int, size: int, days: int) -> None:
    """Insert many events of `size` incompressible bytes with their keys and words."""
    with shifted(-timedelta(days=days)), hub.database.write() as session:
        rows = [_filled(item, size) for _ in range(count)]
        session.add_all(rows)
        session.flush()
        session.add_all(EventKey(event_id=row.id, kind="id", value=row.id) for row in rows)
        session.add_all(
            SearchDocument(event_id=row.id, text=f"common {os.urandom(60).hex(' ')}")
            for row in rows
        )


def do_round(hub: Hub, **more: Any) -> int:
    """Do one whole round an hour later than whatever was before; return its number of steps."""
    work, steps = RetentionWork(hub, **more), 1
    while work.step():
        steps += 1
        assert steps < 2_000, "the round does not end"
    return steps


def counts(hub: Hub) -> dict[str, int]:
    """Return how many rows each table holds."""
    with hub.database.read() as session:
        return {
            table.__tablename__: session.exec(select(func.count()).select_from(table)).one()
            for table in COUNTED
        }


def with_payload(hub: Hub) -> set[str]:
    """Return the events that hold their payload."""
    with hub.database.read() as session:
        query = select(WebhookEvent).where(func.length(col(WebhookEvent.payload)) > 0)
        return {event.id for event in session.exec(query)}


def _filled(item: Integration, size: int) -> WebhookEvent:
    moment = now()
    return WebhookEvent(
        id=new_id("evt"),
        user_id=item.user_id,
        integration_id=item.id,
        service_name=item.service_name,
        event_type="message.received",
        dedupe_key=new_id("key"),
        method="POST",
        content_type="application/json",
        payload=os.urandom(size // 2).hex().encode(),
        headers=json.dumps({"user-agent": "TwilioProxy/1.1"}),
        source_ip="203.0.113.77",
        verification="{}",
        status="success",
        response_code=200,
        duplicates=0,
        attempts=1,
        due_at=moment,
        created_at=moment,
    )


def _attempt(delivery: Delivery, number: int) -> DeliveryAttempt:
    return DeliveryAttempt(
        id=new_id("att"),
        delivery_id=delivery.id,
        integration_id=delivery.integration_id,
        number=number,
        outcome="delivered",
        request_headers="{}",
        request_bytes=2,
        response_status=200,
        response_headers="{}",
        response_body=b"thanks",
        total_ms=1.0,
        created_at=delivery.created_at,
    )
