"""Removing rows that have an age of their own: attempts, calls, refusals, states and counts."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, literal_column, select, tuple_
from sqlmodel import Session, col

from lib.models import (
    ApiCall,
    DeliveryAttempt,
    DeliveryRollup,
    HourlyRollup,
    IntegrationConfig,
    MessageState,
    RejectedRequest,
    RetentionCursor,
)
from lib.retention.ages import effective_ages, id_bound, oldest_kept
from lib.retention.event_sweeps import sweep_new, sweep_waiting
from lib.retention.swept import Owner, Sweep, Swept

_ROLLUPS = "rollups"
# An hour's worth is cheap to look at again, and a cursor that stays need not be written.
_CURSOR_STEP = timedelta(days=1)


def _sweep_attempts(session: Session, owner: Owner, _after: str, limit: int) -> Swept:
    size = func.length(col(DeliveryAttempt.response_body))
    due = _due(session, DeliveryAttempt, owner, owner.ages.attempt_days)
    return _remove(session, "attempts", DeliveryAttempt, due=due, size=size, limit=limit)


def _sweep_calls(session: Session, owner: Owner, _after: str, limit: int) -> Swept:
    due = _due(session, ApiCall, owner, owner.ages.attempt_days)
    return _remove(session, "calls", ApiCall, due=due, size=literal_column("0"), limit=limit)


def _sweep_rejections(session: Session, owner: Owner, _after: str, limit: int) -> Swept:
    size = func.length(col(RejectedRequest.body))
    due = _due(session, RejectedRequest, owner, owner.ages.event_days)
    return _remove(session, "rejections", RejectedRequest, due=due, size=size, limit=limit)


def _sweep_rollups(session: Session, owner: Owner, _after: str, limit: int) -> Swept:
    """Remove hourly counts; the cursor is the hour up to which all are gone."""
    bound = oldest_kept(owner.ages.rollup_days)
    cursor = session.get(RetentionCursor, (owner.id, _ROLLUPS))
    due = [
        col(HourlyRollup.user_id) == owner.user_id,
        col(HourlyRollup.integration_id) == owner.id,
        col(HourlyRollup.hour) < bound,
    ]
    if cursor is not None:
        # The index is by user and hour: other integrations of the user may keep their hours.
        due.append(col(HourlyRollup.hour) >= datetime.fromisoformat(cursor.position))
    key = ("hour", "integration_id", "event_type", "outcome")
    count = _remove_keyed(session, HourlyRollup, key=key, due=due, limit=limit)
    if count == limit:
        return Swept({_ROLLUPS: count}, after="more")
    if cursor is None or datetime.fromisoformat(cursor.position) < bound - _CURSOR_STEP:
        session.merge(RetentionCursor(owner_id=owner.id, kind=_ROLLUPS, position=bound.isoformat()))
    return Swept({_ROLLUPS: count})


def _sweep_delivery_rollups(session: Session, owner: Owner, _after: str, limit: int) -> Swept:
    """Remove the hourly counts of the user's destinations, at the user's longest age.

    A destination takes events of many integrations, and its counts do not tell them apart.
    """
    query = (
        select(col(IntegrationConfig.id), col(IntegrationConfig.retention))
        .where(col(IntegrationConfig.user_id) == owner.user_id)
        .order_by(col(IntegrationConfig.id))
    )
    first = session.scalar(query.with_only_columns(func.min(IntegrationConfig.id)).order_by(None))
    if first != owner.id:
        return Swept()
    days = max(effective_ages(own).rollup_days for _, own in session.execute(query))
    due = [
        col(DeliveryRollup.user_id) == owner.user_id,
        col(DeliveryRollup.hour) < oldest_kept(days),
    ]
    key = ("hour", "destination_id", "outcome", "attempt", "bucket")
    count = _remove_keyed(session, DeliveryRollup, key=key, due=due, limit=limit)
    return Swept({"delivery_rollups": count}, after="more" if count == limit else None)


def _sweep_states(session: Session, owner: Owner, _after: str, limit: int) -> Swept:
    """Remove the states of messages and calls that no report has touched for an event's age."""
    due = [
        col(MessageState.user_id) == owner.user_id,
        col(MessageState.updated_at) < oldest_kept(owner.ages.event_days),
        col(MessageState.integration_id) == owner.id,
    ]
    count = _remove_keyed(
        session, MessageState, key=("integration_id", "sid"), due=due, limit=limit
    )
    return Swept({"states": count}, after="more" if count == limit else None)


# In this order: whole events first, so that nothing is taken from them piece by piece.
SWEEPS: Mapping[str, Sweep] = {
    "events again": sweep_waiting("events"),
    "events": sweep_new("events"),
    "payloads again": sweep_waiting("payloads"),
    "payloads": sweep_new("payloads"),
    "index again": sweep_waiting("index"),
    "index": sweep_new("index"),
    "attempts": _sweep_attempts,
    "calls": _sweep_calls,
    "rejections": _sweep_rejections,
    "states": _sweep_states,
    "rollups": _sweep_rollups,
    "delivery rollups": _sweep_delivery_rollups,
}


def _due(session: Session, table: Any, owner: Owner, days: int) -> Sequence[Any] | None:
    """Return the condition for rows older than `days`, or None when there is no row at all.

    Ids of another prefix would sort elsewhere, so the bound takes that of the rows themselves.
    """
    of_owner = col(table.integration_id) == owner.id
    first = session.scalar(select(col(table.id)).where(of_owner).order_by(table.id).limit(1))
    if first is None:
        return None
    prefix = first.partition("_")[0]
    return (of_owner, col(table.id) >= f"{prefix}_", col(table.id) < id_bound(prefix, days))


def _remove(
    session: Session,
    name: str,
    table: Any,
    *,
    due: Sequence[Any] | None,
    size: Any,
    limit: int,
) -> Swept:
    if due is None:
        return Swept()
    query = select(col(table.id), size).where(*due).order_by(table.id).limit(limit)
    found = session.execute(query).all()
    session.execute(delete(table).where(col(table.id).in_([row_id for row_id, _ in found])))
    freed = sum(size for _, size in found)
    return Swept({name: len(found)}, freed, "more" if len(found) == limit else None)


def _remove_keyed(
    session: Session, table: Any, *, key: Sequence[str], due: Sequence[Any], limit: int
) -> int:
    place = [col(getattr(table, name)) for name in key]
    chosen = select(*place).where(*due).limit(limit)
    done: Any = session.execute(delete(table).where(tuple_(*place).in_(chosen)))
    return int(done.rowcount)
