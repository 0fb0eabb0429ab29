"""What events are narrowed to, as conditions on their rows; it runs no query itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, cast, exists, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import col

from lib.errors import InvalidInput
from lib.ids import first_id
from lib.models import Delivery, Destination, EventKey, WebhookEvent
from lib.outgoing.delivery_filters import QUEUED, answered, takes_nothing
from lib.outgoing.outcomes import ARRIVED

Condition = ColumnElement[bool]
STORED = ("pending", "success", "failed")
DERIVED = (
    "failing", "queued", "delivering", "delivered", "retrying", "dead", "filtered", "paused",
    "duplicate",
)  # fmt: skip
# An event's id and its time come from the same clock, moments apart.
_SLACK = timedelta(minutes=1)
# Proofs that the sender knows a secret, not that the request is unchanged.
_UNSIGNED = ("shared secret", "api token")
_OPEN_OR_DEAD = ("pending", "sending", "retrying", "dead")
# What a delivery counts as depends on whether its destination takes anything.
_BY_DESTINATION = ("queued", "retrying", "paused")


@dataclass(frozen=True)
class EventFilters:
    """What a list is narrowed to; None and an empty text mean everything.

    `status` is a stored or a derived one. `destination_id`, `response_status` (such as "404" or
    "5xx"), `error_class`, `min_attempts` and `slower_than_seconds`, counted to its end, ask for
    one delivery that has them all. `tag` is "key=value"; `expression` is JMESPath over the
    payload, and what it finds true matches.
    """

    service_name: str | None = None
    event_type: str | None = None
    status: str | None = None
    integration_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    search: str = ""
    destination_id: str | None = None
    response_status: str | None = None
    error_class: str | None = None
    min_attempts: int | None = None
    slower_than_seconds: float | None = None
    is_verified: bool | None = None
    tag: str | None = None
    expression: str | None = None


def stored_conditions(filters: EventFilters) -> list[Condition]:
    """Return the conditions that an index of the events answers together with an owner."""
    found: list[Condition] = []
    for column, value in (
        (col(WebhookEvent.event_type), filters.event_type),
        (col(WebhookEvent.integration_id), filters.integration_id),
    ):
        if value:
            found.append(column == value)
    if filters.status in STORED:
        # A literal, for an index on one status is used for no parameter.
        found.append(col(WebhookEvent.status) == literal_column(f"'{filters.status}'"))
    if filters.since is not None:
        found.append(col(WebhookEvent.created_at) >= filters.since)
    if filters.until is not None:
        found.append(col(WebhookEvent.created_at) < filters.until)
    return [*found, *bounds(filters)]


def bounds(filters: EventFilters) -> list[Condition]:
    """Return the ids between which every event of the asked time lies."""
    found: list[Condition] = []
    if filters.since is not None:
        found.append(col(WebhookEvent.id) >= first_id("evt", filters.since - _SLACK))
    if filters.until is not None:
        found.append(col(WebhookEvent.id) < first_id("evt", filters.until + _SLACK))
    return found


def derived_conditions(filters: EventFilters, *, is_sqlite: bool) -> list[Condition]:
    """Return the conditions that each event is looked at for; raise InvalidInput."""
    found: list[Condition] = []
    if filters.service_name:
        found.append(col(WebhookEvent.service_name) == filters.service_name)
    if filters.is_verified is not None:
        is_signed = _scheme(is_sqlite=is_sqlite).not_in(_UNSIGNED)
        found.append(is_signed if filters.is_verified else ~is_signed)
    if filters.tag:
        found.append(_has_tag(filters.tag))
    if filters.status and filters.status not in STORED:
        found += _derived_status(filters.status)
    asked = _asked_of_delivery(filters, is_sqlite=is_sqlite)
    if asked:
        has = _has_delivery_to if filters.status in _BY_DESTINATION else _has_delivery
        found.append(has(*asked))
    return found


def unresolved() -> Condition:
    """Return the condition that an event failed and nobody has dealt with it yet."""
    # A literal, for an index on one status is used for no parameter.
    failed = col(WebhookEvent.status) == literal_column("'failed'")
    return and_(failed, col(WebhookEvent.resolved_at).is_(None))


def _scheme(*, is_sqlite: bool) -> ColumnElement[Any]:
    column = col(WebhookEvent.verification)
    if is_sqlite:
        return func.coalesce(func.json_extract(column, "$.scheme"), "")
    return func.coalesce(cast(column, JSONB)["scheme"].astext, "")


def _has_tag(tag: str) -> Condition:
    return exists().where(
        col(EventKey.event_id) == col(WebhookEvent.id),
        col(EventKey.kind) == "tag",
        col(EventKey.value) == tag,
    )


def _has_delivery(*conditions: Condition) -> Condition:
    return exists(
        select(literal_column("1"))
        .select_from(Delivery)
        .where(col(Delivery.event_id) == col(WebhookEvent.id), *conditions)
        .correlate(WebhookEvent)
    )


def _has_delivery_to(*conditions: Condition) -> Condition:
    """Return the condition for a delivery whose destination is asked for something too."""
    return exists(
        select(literal_column("1"))
        .select_from(Delivery)
        .join(Destination, col(Destination.id) == col(Delivery.destination_id))
        .where(col(Delivery.event_id) == col(WebhookEvent.id), *conditions)
        .correlate(WebhookEvent)
    )


def _derived_status(status: str) -> list[Condition]:
    if status == "duplicate":
        return [col(WebhookEvent.duplicates) > 0]
    if status == "failing":
        return [or_(unresolved(), _has_delivery(col(Delivery.status).in_(("dead", "retrying"))))]
    if status == "filtered":
        return [col(WebhookEvent.status) == "success", ~_has_delivery()]
    if status == "delivered":
        unfinished = col(Delivery.status).in_(_OPEN_OR_DEAD)
        return [_has_delivery(col(Delivery.status).in_(ARRIVED)), ~_has_delivery(unfinished)]
    if status in DERIVED:
        return []
    known = ", ".join((*STORED, *DERIVED))
    raise InvalidInput(
        f"There is no status called {status[:40]}. Use one of: {known}.", field="status"
    )


def _asked_of_delivery(filters: EventFilters, *, is_sqlite: bool) -> list[Condition]:
    """Return what one delivery of the event must have all of."""
    status = col(Delivery.status)
    by_status: dict[str | None, Condition] = {
        "queued": and_(status == "pending", ~takes_nothing()),
        "retrying": and_(status == "retrying", ~takes_nothing()),
        "paused": and_(status.in_(QUEUED), takes_nothing()),
        "delivering": status == "sending",
        "dead": status == "dead",
    }
    found = [by_status[filters.status]] if filters.status in by_status else []
    if filters.destination_id:
        found.append(col(Delivery.destination_id) == filters.destination_id)
    if filters.response_status:
        found.append(answered(filters.response_status))
    if filters.error_class:
        found.append(col(Delivery.error_class) == filters.error_class)
    if filters.min_attempts is not None:
        found.append(col(Delivery.attempts) >= filters.min_attempts)
    if filters.slower_than_seconds is not None:
        found.append(_took(is_sqlite=is_sqlite) > filters.slower_than_seconds)
    return found


def _took(*, is_sqlite: bool) -> ColumnElement[Any]:
    begun, ended = col(Delivery.created_at), col(Delivery.finished_at)
    if is_sqlite:
        return (func.julianday(ended) - func.julianday(begun)) * 86_400
    return func.extract("epoch", ended - begun)
