"""What deliveries are narrowed to, in lists and in replays alike; it runs no query itself."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, literal_column, or_
from sqlmodel import col

from lib.access import Actor
from lib.errors import InvalidInput
from lib.models import Delivery, Destination
from lib.outgoing.outcomes import ARRIVED

QUEUED = ("pending", "retrying")
FINISHED = (*ARRIVED, "dead", "cancelled")
# Paused stands in no row: it is a queued delivery whose destination takes nothing now.
STATUSES = ("pending", "sending", "retrying", "paused", *FINISHED)
MOST_IDS = 200
_MOMENTS = ("since", "until")
# The filters that are no text.
_OTHERS = {"ids": "a list of ids", "min_attempts": "a whole number"}

Condition = ColumnElement[bool]


@dataclass(frozen=True)
class DeliveryFilters:
    """What deliveries are narrowed to; None means everything, an empty `ids` nothing.

    `since` and `until` bound the time at which a delivery was made. `response_status` is that
    of the last answer, such as "404", or a class such as "5xx"; `min_attempts` counts its tries.
    """

    status: str | None = None
    destination_id: str | None = None
    integration_id: str | None = None
    service_name: str | None = None
    event_type: str | None = None
    error_class: str | None = None
    response_status: str | None = None
    min_attempts: int | None = None
    issue_id: str | None = None
    event_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    ids: tuple[str, ...] | None = None


def visible_to(actor: Actor) -> list[Condition]:
    """Return the condition that keeps a member to their own deliveries."""
    return [] if actor.sees_all else [col(Delivery.user_id) == actor.id]


def narrowing(filters: DeliveryFilters) -> list[Condition]:
    """Return the conditions of `filters` on deliveries joined with their destinations.

    Raises InvalidInput for an unknown status, a malformed answer and more than 200 ids.
    """
    found = [] if filters.status is None else [_has_status(filters.status)]
    for name in (
        "destination_id",
        "integration_id",
        "service_name",
        "event_type",
        "error_class",
        "issue_id",
        "event_id",
    ):
        if (value := getattr(filters, name)) is not None:
            found.append(col(getattr(Delivery, name)) == value)
    if filters.response_status is not None:
        found.append(answered(filters.response_status))
    if filters.min_attempts is not None:
        found.append(col(Delivery.attempts) >= filters.min_attempts)
    if filters.since is not None:
        found.append(col(Delivery.created_at) >= filters.since)
    if filters.until is not None:
        found.append(col(Delivery.created_at) < filters.until)
    if filters.ids is not None:
        found.append(col(Delivery.id).in_(_check_number(filters.ids)))
    return found


def answered(asked: str) -> Condition:
    """Return the condition on the last answer, "404" or "4xx"; raise InvalidInput."""
    column = col(Delivery.response_status)
    if len(asked) == 3 and asked[0] in "12345" and asked[1:] == "xx":
        return column.between(int(asked[0]) * 100, int(asked[0]) * 100 + 99)
    if len(asked) == 3 and asked.isascii() and asked.isdigit():
        return column == int(asked)
    raise InvalidInput(
        "Ask for a status such as 404, or for a class such as 4xx or 5xx.", field="response_status"
    )


def takes_nothing() -> Condition:
    """Return the condition that a destination is paused by a person or was given up (410)."""
    return or_(col(Destination.is_active).is_(False), col(Destination.disabled_at).is_not(None))


def to_json(filters: DeliveryFilters) -> dict[str, Any]:
    """Return the filters that are set, as JSON can hold them."""
    found: dict[str, Any] = {}
    for item in fields(filters):
        value = getattr(filters, item.name)
        if isinstance(value, datetime):
            found[item.name] = value.isoformat()
        elif value is not None:
            found[item.name] = list(value) if item.name == "ids" else value
    return found


def from_json(given: dict[str, Any]) -> DeliveryFilters:
    """Return the filters of `to_json`; raise InvalidInput naming what cannot be read."""
    names = [item.name for item in fields(DeliveryFilters)]
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name not in names:
            raise InvalidInput(
                f"There is no filter called {name[:40]}. Use: {', '.join(names)}.", field="filter"
            )
        found[name] = _read(name, value)
    return DeliveryFilters(**found)


def _read(name: str, value: Any) -> Any:
    if name == "ids" and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    if name == "min_attempts" and type(value) is int:
        return value
    if name in _OTHERS or not isinstance(value, str):
        kind = _OTHERS.get(name, "a text")
        raise InvalidInput(f"The filter {name} takes {kind}.", field=name)
    if name not in _MOMENTS:
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise InvalidInput(
            f"The filter {name} takes a time such as 2026-01-31T12:00:00Z.", field=name
        ) from error
    if moment.tzinfo is None:
        raise InvalidInput(f"Give the filter {name} a zone, such as Z at its end.", field=name)
    return moment


def _check_number(ids: tuple[str, ...]) -> tuple[str, ...]:
    if len(ids) > MOST_IDS:
        raise InvalidInput(
            f"Choose at most {MOST_IDS} deliveries, or use filters to take all that match.",
            field="ids",
        )
    return ids


def _has_status(status: str) -> Condition:
    if status not in STATUSES:
        raise InvalidInput(
            f"There is no status called {status[:40]}. Use one of: {', '.join(STATUSES)}.",
            field="status",
        )
    if status == "paused":
        return and_(col(Delivery.status).in_(QUEUED), takes_nothing())
    if status in QUEUED:
        return and_(col(Delivery.status) == status, ~takes_nothing())
    # A literal, for an index on one status is used for no parameter.
    return col(Delivery.status) == literal_column(f"'{status}'")
