"""Events on their way to destinations, and one of them once more."""

from typing import Annotated, Any, Literal

from pydantic import Field, RootModel

from lib.outgoing import deliveries, replays
from lib.outgoing.delivery_filters import DeliveryFilters
from lib.outgoing.delivery_views import AttemptLine, DeliveryRow
from webhook_receiver.api.operations import Call, Operation, Reply
from webhook_receiver.api.shapes import Moment, Paged, Shown, TimeAsked, stamp, stamp_or_none

Status = Literal[
    "pending", "sending", "delivered", "accepted", "retrying", "dead", "cancelled", "paused"
]


class DeliveriesAsked(Paged):
    """What the list is narrowed to."""

    status: Annotated[Status | None, Field(description="How far it is.")] = None
    destination_id: Annotated[str | None, Field(description="To one destination.")] = None
    integration_id: Annotated[str | None, Field(description="From one integration.")] = None
    event_id: Annotated[str | None, Field(description="Of one event.")] = None
    service: Annotated[str | None, Field(description="The service's short name.")] = None
    type: Annotated[str | None, Field(description="The event type.")] = None
    error_class: Annotated[str | None, Field(description="Such as timeout or http_5xx.")] = None
    since: TimeAsked | None = None
    until: TimeAsked | None = None


class DeliveryShown(Shown):
    """One event on its way to one destination."""

    id: str
    event_id: str
    destination_id: str
    integration_id: str
    service_name: str
    event_type: str
    status: Status
    attempts: int
    next_attempt_at: Moment | None
    response_status: int | None
    error_class: str | None
    last_error: str | None
    origin_id: str | None = Field(description="The delivery that this one replays.")
    replay_id: str | None
    created_at: Moment
    finished_at: Moment | None


class AttemptShown(Shown):
    """One request of a delivery and what came of it."""

    number: int
    outcome: str
    response_status: int | None
    milliseconds: float
    error_class: str | None
    error: str | None
    created_at: Moment


class DeliveryInFull(DeliveryShown):
    """One delivery with its attempts in their order."""

    attempt_log: list[AttemptShown]


class DeliveryList(RootModel[list[DeliveryShown]]):
    """Deliveries, newest first."""


def list_deliveries(call: Call) -> Reply:
    """Return a page of deliveries."""
    asked: DeliveriesAsked = call.query
    filters = DeliveryFilters(
        status=asked.status,
        destination_id=asked.destination_id,
        integration_id=asked.integration_id,
        event_id=asked.event_id,
        service_name=asked.service,
        event_type=asked.type,
        error_class=asked.error_class,
        since=asked.since,
        until=asked.until,
    )
    page = deliveries.list_deliveries(
        call.hub, call.caller.actor, filters, cursor=asked.cursor, limit=asked.limit
    )
    return Reply(DeliveryList([show_delivery(row) for row in page.rows]), page.next_cursor)


def get_delivery(call: Call) -> Reply:
    """Return one delivery with its attempts."""
    found = deliveries.get_delivery(call.hub, call.caller.actor, call.path["id"])
    log = [_show_attempt(attempt.line) for attempt in found.attempts]
    return Reply(DeliveryInFull(**_fields(found.row), attempt_log=log))


def replay_delivery(call: Call) -> Reply:
    """Deliver a finished delivery once more and return the new one."""
    row = replays.replay_one(call.hub, call.caller.actor, call.path["id"])
    return Reply(show_delivery(row))


def show_delivery(row: DeliveryRow) -> DeliveryShown:
    """Return a delivery as lists show it."""
    return DeliveryShown(**_fields(row))


def _fields(row: DeliveryRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "event_id": row.event_id,
        "destination_id": row.destination_id,
        "integration_id": row.integration_id,
        "service_name": row.service_name,
        "event_type": row.event_type,
        "status": row.status,
        "attempts": row.attempts,
        "next_attempt_at": stamp_or_none(row.next_attempt_at),
        "response_status": row.response_status,
        "error_class": row.error_class,
        "last_error": row.last_error,
        "origin_id": row.origin_id,
        "replay_id": row.replay_id,
        "created_at": stamp(row.created_at),
        "finished_at": stamp_or_none(row.finished_at),
    }


def _show_attempt(line: AttemptLine) -> AttemptShown:
    return AttemptShown(
        number=line.number,
        outcome=line.outcome,
        response_status=line.response_status,
        milliseconds=line.total_ms,
        error_class=line.error_class,
        error=line.error,
        created_at=stamp(line.created_at),
    )


OPERATIONS = (
    Operation(
        "GET",
        "/api/deliveries",
        scope="read:events",
        summary="List deliveries, newest first",
        handler=list_deliveries,
        answer=DeliveryList,
        query=DeliveriesAsked,
    ),
    Operation(
        "GET",
        "/api/deliveries/{id}",
        scope="read:events",
        summary="Show a delivery with its attempts",
        handler=get_delivery,
        answer=DeliveryInFull,
    ),
    Operation(
        "POST",
        "/api/deliveries/{id}/replay",
        scope="replay",
        summary="Deliver a finished delivery once more",
        handler=replay_delivery,
        answer=DeliveryShown,
        status=201,
        creates=True,
    ),
)
