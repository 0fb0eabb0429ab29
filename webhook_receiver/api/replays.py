"""Delivering all finished deliveries that match once more, after a dry run or at once."""

from typing import Any, Literal

from pydantic import Field

from lib.outgoing import replays
from lib.outgoing.delivery_filters import from_json
from lib.outgoing.replays import DryRun
from webhook_receiver.api.deliveries import DeliveryShown, Status, show_delivery
from webhook_receiver.api.operations import Call, Operation, Reply
from webhook_receiver.api.shapes import Given, Moment, Shown, Time, stamp, stamp_or_none


class ReplayFilter(Given):
    """What deliveries are narrowed to; an empty object means all finished ones."""

    status: Status | None = None
    destination_id: str | None = None
    integration_id: str | None = None
    service_name: str | None = None
    event_type: str | None = None
    error_class: str | None = None
    issue_id: str | None = None
    event_id: str | None = None
    since: Time | None = Field(default=None, description="Made at this time or later.")
    until: Time | None = Field(default=None, description="Made before this time.")
    ids: list[str] | None = Field(default=None, description="Up to 200 deliveries.")


class ReplayGiven(Given):
    """Which deliveries, and whether they are only counted."""

    filter: ReplayFilter
    dry_run: bool = Field(default=False, description="Only say what would be done.")


class ShareShown(Shown):
    """What of a replay goes to one destination."""

    id: str
    name: str
    count: int


class DryRunShown(Shown):
    """What a replay would do; `sample` holds the newest five."""

    count: int
    destinations: list[ShareShown]
    sample: list[DeliveryShown]
    estimated_seconds: float
    left_out: list[str] = Field(description="Why some that match would not be replayed.")


class ReplayStarted(Shown):
    """An order that the worker carries out."""

    id: str
    count: int


class ReplayShown(ReplayStarted):
    """How far an order is; `gone` were removed between the order and its execution."""

    made: int
    gone: int
    status: Literal["pending", "done"]
    created_at: Moment
    finished_at: Moment | None


def start_replay(call: Call) -> Reply:
    """Say what a replay would do, or order it."""
    given: ReplayGiven = call.body
    asked: dict[str, Any] = given.filter.model_dump(mode="json", exclude_none=True)
    seen = replays.dry_run(call.hub, call.caller.actor, from_json(asked))
    if given.dry_run:
        return Reply(_show_dry_run(seen), status=200)
    order = replays.start(call.hub, call.caller.actor, seen)
    return Reply(ReplayStarted(id=order.id, count=order.total))


def get_replay(call: Call) -> Reply:
    """Return how far an order is."""
    order = replays.progress(call.hub, call.caller.actor, call.path["id"])
    return Reply(
        ReplayShown(
            id=order.id,
            count=order.total,
            made=order.made,
            gone=order.gone,
            status="done" if order.is_done else "pending",
            created_at=stamp(order.created_at),
            finished_at=stamp_or_none(order.finished_at),
        )
    )


def _show_dry_run(seen: DryRun) -> DryRunShown:
    return DryRunShown(
        count=seen.count,
        destinations=[
            ShareShown(id=share.destination_id, name=share.name, count=share.count)
            for share in seen.destinations
        ],
        sample=[show_delivery(row) for row in seen.sample],
        estimated_seconds=seen.estimated_seconds,
        left_out=list(seen.left_out),
    )


OPERATIONS = (
    Operation(
        "POST",
        "/api/replays",
        scope="replay",
        summary="Deliver all finished deliveries that match once more",
        handler=start_replay,
        answer=ReplayStarted,
        status=202,
        other_answers={200: DryRunShown},
        body=ReplayGiven,
        creates=True,
        note="With `dry_run` nothing is done: the answer (200) says what would be.",
    ),
    Operation(
        "GET",
        "/api/replays/{id}",
        scope="replay",
        summary="Show how far a replay is",
        handler=get_replay,
        answer=ReplayShown,
    ),
)
