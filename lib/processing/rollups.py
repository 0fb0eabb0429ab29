"""Adding to counts that several workers keep together."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from lib.models import (
    DeliveryRollup,
    DurationRollup,
    FailureRollup,
    HourlyRollup,
    MessageRollup,
)

Rollup = HourlyRollup | DeliveryRollup | FailureRollup | MessageRollup | DurationRollup


def add_counts(
    session: Session,
    table: type[Rollup],
    rows: Sequence[dict[str, Any]],
) -> None:
    """Add the `count` of each row to the one with the same primary key, or insert it.

    Give the rows in one order everywhere, so that two workers cannot wait for each other.
    """
    if not rows:
        return
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table)
    keys = [column.name for column in inspect(table).primary_key]
    session.execute(
        statement.on_conflict_do_update(
            index_elements=keys,
            set_={"count": inspect(table).c["count"] + statement.excluded["count"]},
        ),
        list(rows),
    )
