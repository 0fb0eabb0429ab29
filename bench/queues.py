"""Events, routes and queues that the delivery benchmark puts straight into the tables."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from lib.access import Actor
from lib.clock import now
from lib.connections.integrations import Issued
from lib.hub import Hub
from lib.ids import new_id
from lib.models import Delivery, Destination, Route, WebhookEvent
from lib.outgoing.envelope import EventFacts


@dataclass(frozen=True)
class Bench:
    """One hub with an integration, and the environment of its processes."""

    name: str
    hub: Hub
    owner: Actor
    issued: Issued
    environment: Mapping[str, str]
    folder: Path


def insert_events(bench: Bench, count: int) -> list[EventFacts]:
    """Insert processed events and return their facts."""
    payload = json.dumps(
        {"type": "ContactCreate", "firstName": "Ada", "email": "ada@example.com", "tags": ["vip"],
         "phone": "+14155550123", "city": "London", "source": "form", "note": "x" * 300}
    ).encode()  # fmt: skip
    item, moment = bench.issued.integration, now()
    facts = [
        EventFacts(
            id=new_id("evt"),
            event_type="ContactCreate",
            created_at=moment,
            service_name=item.service_name,
            integration_id=item.id,
            content_type="application/json",
            payload=payload,
        )
        for _ in range(count)
    ]
    common = {
        "user_id": item.user_id, "method": "POST", "headers": "{}", "source_ip": "",
        "verification": "{}", "status": "success", "response_code": 200, "duplicates": 0,
        "attempts": 0, "due_at": moment,
    }  # fmt: skip
    with bench.hub.database.write() as session:
        rows = [{**vars(event), **common, "dedupe_key": event.id} for event in facts]
        session.execute(insert(WebhookEvent), rows)
    return facts


def queue(bench: Bench, destination: Destination, event_ids: list[str], *, count: int) -> None:
    """Queue deliveries that are due now, of each event in turn."""
    item, moment = bench.issued.integration, now()
    common: dict[str, Any] = {
        "user_id": item.user_id,
        "destination_id": destination.id,
        "integration_id": item.id,
        "service_name": item.service_name,
        "event_type": "ContactCreate",
        "status": "pending",
        "attempts": 0,
        "next_attempt_at": moment,
        "created_at": moment,
    }
    for begin in range(0, count, 10_000):
        rows = [
            {**common, "id": new_id("dlv"), "event_id": event_ids[number % len(event_ids)]}
            for number in range(begin, min(begin + 10_000, count))
        ]
        with bench.hub.database.write() as session:
            session.execute(insert(Delivery), rows)


def add_route(bench: Bench, destination: Destination) -> None:
    """Send every event of the integration to a destination."""
    moment = now()
    with bench.hub.database.write() as session:
        session.add(
            Route(
                id=new_id("rte"),
                user_id=bench.owner.id,
                integration_id=bench.issued.integration.id,
                destination_id=destination.id,
                name="bench",
                event_types=["*"],
                filters=[],
                is_active=True,
                created_at=moment,
                updated_at=moment,
            )
        )
