"""Connections and what they received, put straight into the tables."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from lib.access import Actor
from lib.clock import now, shifted
from lib.connections import integrations
from lib.connections.integrations import Integration
from lib.hub import Hub
from lib.ids import new_id
from lib.models import (
    EventKey,
    HourlyRollup,
    RejectedRequest,
    SearchDocument,
    WebhookEvent,
)

SID = "AC" + "0123456789abcdef" * 2
TOKEN = "f0e1d2c3b4a5968778695a4b3c2d1e0f"
SMS = {
    "MessageSid": "SM" + "1" * 32,
    "AccountSid": SID,
    "From": "+14155550123",
    "To": "+14155550199",
    "Body": "Hallo Grace Hopper",
}


def make_integration(
    hub: Hub, actor: Actor, name: str = "Front desk", *, service_name: str = "twilio"
) -> Integration:
    """Add a connection by its use case."""
    values = {"account_sid": SID, "auth_token": TOKEN} if service_name == "twilio" else {}
    if service_name == "gohighlevel":
        values = {"location_id": "ve9EPM428h8vShlRW1KT"}
    issued = integrations.add(hub, actor, service_name=service_name, name=name, values=values)
    return issued.integration


def make_event(
    hub: Hub,
    item: Integration,
    *,
    payload: Any = None,
    event_type: str = "message.received",
    status: str = "success",
    age: timedelta = timedelta(0),
) -> str:
    """Insert an event with its keys and words, and return its id."""
    # Beside a clock that is shifted already: shifts do not add up.
    with shifted(now() - age - datetime.now(UTC)):
        event_id = new_id("evt")
    row = WebhookEvent(
        id=event_id,
        user_id=item.user_id,
        integration_id=item.id,
        service_name=item.service_name,
        event_type=event_type,
        dedupe_key=new_id("key"),
        external_id=SMS["MessageSid"],
        method="POST",
        content_type="application/json",
        payload=json.dumps(SMS if payload is None else payload).encode(),
        headers=json.dumps({"user-agent": "TwilioProxy/1.1", "x-note": "header-words"}),
        source_ip="203.0.113.77",
        verification=json.dumps({"scheme": "twilio", "key": "auth_token", "url": item.webhook_url}),
        status=status,
        response_code=200,
        duplicates=0,
        attempts=5 if status == "failed" else 0,
        error="The payload could not be read (KeyError)." if status == "failed" else None,
        due_at=now(),
        created_at=now() - age,
    )
    with hub.database.write() as session:
        session.add(row)
        session.flush()
        session.add(EventKey(event_id=row.id, kind="phone", value=SMS["From"]))
        session.add(EventKey(event_id=row.id, kind="email", value="grace@example.org"))
        session.add(SearchDocument(event_id=row.id, text=" ".join(SMS.values())))
    return row.id


def make_rejection(
    hub: Hub, item: Integration, *, not_kept: int = 0, age: timedelta = timedelta()
) -> str:
    """Insert a refused request of `age` and return its id."""
    row = RejectedRequest(
        id=new_id("rej"),
        user_id=item.user_id,
        integration_id=item.id,
        service_name=item.service_name,
        reason="wrong_signature",
        message="The signature does not match. Enter the account's primary Auth Token.",
        facts=json.dumps({"tried": "1 URL", "key": "auth_token"}),
        method="POST",
        content_type="application/x-www-form-urlencoded",
        headers=json.dumps({"user-agent": "curl/8"}),
        body=b"Body=secret+words",
        body_bytes=17,
        source_ip="203.0.113.78",
        response_code=403,
        not_kept=not_kept,
        created_at=now() - age,
    )
    with hub.database.write() as session:
        session.add(row)
    return row.id


def make_rollup(
    hub: Hub,
    item: Integration,
    count: int,
    *,
    hour: datetime | None = None,
    event_type: str = "message.received",
    outcome: str = "received",
) -> None:
    """Insert the count of one hour, by default the present one."""
    moment = hour or now()
    with hub.database.write() as session:
        session.add(
            HourlyRollup(
                hour=moment.replace(minute=0, second=0, microsecond=0),
                integration_id=item.id,
                event_type=event_type,
                outcome=outcome,
                user_id=item.user_id,
                service_name=item.service_name,
                count=count,
            )
        )
