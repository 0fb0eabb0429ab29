"""What the tables of totals ought to hold, counted one by one from the rollups."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from lib.hub import Hub
from lib.models import (
    DeliveryRollup,
    DeliveryTotal,
    DurationRollup,
    DurationTotal,
    EventTotal,
    FailureRollup,
    FailureTotal,
    HourlyRollup,
    LatencyTotal,
    MessageRollup,
    MessageTotal,
)

TOTALS: Mapping[Any, tuple[Any, str, tuple[str, ...]]] = {
    EventTotal: (HourlyRollup, "integration_id", ("service_name", "outcome")),
    DeliveryTotal: (DeliveryRollup, "destination_id", ("outcome", "attempt")),
    LatencyTotal: (DeliveryRollup, "destination_id", ("bucket",)),
    FailureTotal: (FailureRollup, "destination_id", ("error_class", "response_status")),
    MessageTotal: (MessageRollup, "integration_id", ("kind", "state", "error_code")),
    DurationTotal: (DurationRollup, "integration_id", ("measure", "bucket")),
}
Counts = dict[tuple[Any, ...], int]


def counted(hub: Hub, total: Any) -> Counts:
    """Return what the rollups come to under each scope, by the hour and by the day."""
    rollup, place, columns = TOTALS[total]
    found: Counter[tuple[Any, ...]] = Counter()
    with hub.database.read() as session:
        for row in session.scalars(select(rollup)):
            spans = (("hour", row.hour), ("day", row.hour.replace(hour=0)))
            values = [getattr(row, name) for name in columns]
            for scope in ("", row.user_id, getattr(row, place)):
                for span in spans:
                    found[scope, *span, *values] += row.count
    return {key: count for key, count in found.items() if count}


def kept(hub: Hub, total: Any) -> Counts:
    """Return what the table of totals says, without its zeros."""
    names = ("scope", "span", "since", *TOTALS[total][2])
    with hub.database.read() as session:
        return {
            tuple(getattr(row, name) for name in names): row.count
            for row in session.scalars(select(total))
            if row.count
        }


def assert_totals_are_right(hub: Hub) -> None:
    """Hold every total to the rows that it sums up."""
    for total in TOTALS:
        assert kept(hub, total) == counted(hub, total), total.__tablename__
