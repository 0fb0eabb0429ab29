"""The document that filters look at, mappings start from, and destinations receive."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lib.providers.payloads import decode_payload

Envelope = dict[str, Any]


@dataclass(frozen=True, repr=False)
class EventFacts:
    """What of a stored event goes onwards; `payload` is the bytes that arrived."""

    id: str
    event_type: str
    created_at: datetime
    service_name: str
    integration_id: str
    content_type: str
    payload: bytes


def facts_of(row: Any) -> EventFacts:
    """Return the facts of a row of webhook_events, or of what was selected of one."""
    return EventFacts(
        id=row.id,
        event_type=row.event_type,
        created_at=row.created_at,
        service_name=row.service_name,
        integration_id=row.integration_id,
        content_type=row.content_type,
        payload=row.payload,
    )


def build_envelope(event: EventFacts) -> Envelope:
    """Return `{"id", "type", "timestamp", "service_name", "integration_id", "data"}`.

    `timestamp` is ISO 8601 in UTC with milliseconds and Z; `data` is the decoded payload.
    """
    moment = event.created_at.astimezone(UTC).isoformat(timespec="milliseconds")
    return {
        "id": event.id,
        "type": event.event_type,
        "timestamp": moment.replace("+00:00", "Z"),
        "service_name": event.service_name,
        "integration_id": event.integration_id,
        "data": decode_payload(event.content_type, event.payload),
    }
