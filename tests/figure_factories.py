"""Counts of known hours, put straight into the tables of rollups."""

from datetime import UTC, datetime
from typing import Any

from lib.hub import Hub
from lib.models import (
    DeliveryRollup,
    DurationRollup,
    FailureRollup,
    HourlyRollup,
    IntegrationConfig,
    MessageRollup,
)


def at(text: str) -> datetime:
    """Return a moment in UTC, such as at("2026-11-03 10:00")."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def count_received(hub: Hub, item: Any, hour: datetime, count: int = 1, **more: Any) -> None:
    """Count events of an integration."""
    values = {"event_type": "message.inbound", "outcome": "received", **more}
    _store(
        hub,
        HourlyRollup(
            hour=hour,
            integration_id=item.id,
            user_id=item.user_id,
            service_name=item.service_name,
            count=count,
            **values,
        ),
    )


def count_attempts(hub: Hub, place: Any, hour: datetime, count: int = 1, **more: Any) -> None:
    """Count attempts at a destination."""
    values = {"outcome": "delivered", "attempt": 1, "bucket": 20, **more}
    owned = {"destination_id": place.id, "user_id": place.user_id}
    _store(hub, DeliveryRollup(hour=hour, count=count, **owned, **values))


def count_failures(hub: Hub, place: Any, hour: datetime, count: int = 1, **more: Any) -> None:
    """Count failed attempts at a destination."""
    values = {"error_class": "http_5xx", "response_status": 503, **more}
    owned = {"destination_id": place.id, "user_id": place.user_id}
    _store(hub, FailureRollup(hour=hour, count=count, **owned, **values))


def count_messages(hub: Hub, item: Any, hour: datetime, count: int = 1, **more: Any) -> None:
    """Count messages of an integration in a state."""
    values = {"kind": "message", "state": "delivered", "error_code": "", **more}
    owned = {"integration_id": item.id, "user_id": item.user_id}
    _store(hub, MessageRollup(hour=hour, count=count, **owned, **values))


def count_waits(hub: Hub, item: Any, hour: datetime, count: int = 1, **more: Any) -> None:
    """Count durations of an integration."""
    values = {"measure": "reply", "bucket": 20, **more}
    owned = {"integration_id": item.id, "user_id": item.user_id}
    _store(hub, DurationRollup(hour=hour, count=count, **owned, **values))


def remove_integration(hub: Hub, item: Any, moment: datetime) -> None:
    """Mark an integration as removed."""
    with hub.database.write() as session:
        session.get_one(IntegrationConfig, item.id).deleted_at = moment


def _store(hub: Hub, row: Any) -> None:
    with hub.database.write() as session:
        session.add(row)
