"""Filters as they stand in an address, read without a screen: for exports and kept views."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta

from lib.audit_reading import AuditFilters
from lib.clock import now
from lib.errors import InvalidInput
from lib.events.conditions import EventFilters
from lib.intake.rejections import RejectionFilters
from lib.outgoing.delivery_filters import DeliveryFilters

# Options are what stands in the address, so they stay short and without spaces.
RANGES = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
VERIFIED = {"yes": True, "no": False}


def event_filters(query: Mapping[str, str]) -> EventFilters:
    """Return the filters of Activity's address; raise InvalidInput naming what cannot be read."""
    since, until = _times(query)
    attempts, slower = _number(query, "attempts"), _number(query, "slower")
    return EventFilters(
        service_name=query.get("service") or None,
        event_type=query.get("type") or None,
        status=query.get("status") or None,
        integration_id=query.get("integration") or None,
        since=since,
        until=until,
        search=query.get("q", ""),
        destination_id=query.get("destination") or None,
        response_status=query.get("http") or None,
        error_class=query.get("error") or None,
        min_attempts=None if attempts is None else int(attempts),
        slower_than_seconds=slower,
        is_verified=VERIFIED.get(query.get("verified", "")),
        tag=query.get("tag") or None,
        expression=query.get("expr") or None,
    )


def delivery_filters(query: Mapping[str, str]) -> DeliveryFilters:
    """Return the filters of the Deliveries screen's address; raise InvalidInput."""
    since, until = _times(query)
    attempts = _number(query, "attempts")
    return DeliveryFilters(
        status=query.get("status") or None,
        destination_id=query.get("destination") or None,
        error_class=query.get("error") or None,
        event_type=query.get("type") or None,
        response_status=query.get("answer") or None,
        min_attempts=None if attempts is None else int(attempts),
        since=since,
        until=until,
    )


def audit_filters(query: Mapping[str, str]) -> AuditFilters:
    """Return the filters of the Audit screen's address; raise InvalidInput."""
    since, until = _times(query)
    return AuditFilters(
        user_id=query.get("who") or None,
        subject=query.get("about") or None,
        object_id=query.get("object", ""),
        since=since,
        until=until,
    )


def rejection_filters(query: Mapping[str, str]) -> RejectionFilters:
    """Return the filters of the Rejected screen's address; raise InvalidInput."""
    since, until = _times(query)
    return RejectionFilters(
        service_name=query.get("service") or None,
        integration_id=query.get("integration") or None,
        reason=query.get("reason") or None,
        since=since,
        until=until,
        search=query.get("find", ""),
    )


def _times(query: Mapping[str, str]) -> tuple[datetime | None, datetime | None]:
    """Return the two ends; a range counts back from now and goes before them."""
    period = query.get("range") or query.get("made", "")
    if period in RANGES:
        return now() - RANGES[period], None
    return read_moment(query, "since"), read_moment(query, "until")


def read_moment(query: Mapping[str, str], name: str) -> datetime | None:
    """Return a time of the address, such as 2026-11-03T10:00Z; raise InvalidInput."""
    text = query.get(name, "")
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"{name} is a time such as 2026-01-31T12:00Z.", field=name) from error
    if moment.tzinfo is None:
        raise InvalidInput(f"Give {name} a zone, such as Z at its end.", field=name)
    return moment


def _number(query: Mapping[str, str], name: str) -> float | None:
    text = query.get(name, "")
    if not text:
        return None
    try:
        number = float(text)
    except ValueError as error:
        raise InvalidInput(f"{name} is a number.", field=name) from error
    if not math.isfinite(number):
        raise InvalidInput(f"{name} is a number.", field=name)
    return number
