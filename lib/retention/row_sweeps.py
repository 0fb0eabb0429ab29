"""Removing rows that have an age of their own: attempts, calls, refusals, states and counts."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, inspect, literal_column, select, tuple_
from sqlmodel import Session, col

from lib.models import (
    ApiCall,
    Conversation,
    DeliveryAttempt,
    DeliveryRollup,
    DurationRollup,
    FailureRollup,
    HourlyRollup,
    IntegrationConfig,
    MessageRollup,
    MessageState,
    RejectedRequest,
    RetentionCursor,
)
from lib.retention.ages import effective_ages, id_bound, oldest_kept
from lib.retention.event_sweeps import sweep_new, sweep_waiting
from lib.retention.hub_ages import hub_ages
from lib.retention.swept import Owner, Sweep, Swept

_ROLLUPS = "rollups"
_OF_INTEGRATIONS: Mapping[str, Any] = {
    _ROLLUPS: HourlyRollup,
    "message_rollups": MessageRollup,
    "duration_rollups": DurationRollup,
}
_OF_DESTINATIONS: Mapping[str, Any] = {
    "delivery_rollups": DeliveryRollup,
    "failure_rollups": FailureRollup,
}
# Who has not answered by then does not answer that message any more.
_CONVERSATION_DAYS = 30
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
    since = datetime.fromisoformat(cursor.position) if cursor else None
    removed: dict[str, int] = {}
    for name, table in _OF_INTEGRATIONS.items():
        due = [*_hours_before(table, owner, bound), col(table.integration_id) == owner.id]
        if since is not None:
            # The index is by user and hour: other integrations of the user may keep their hours.
            due.append(col(table.hour) >= since)
        left = limit - sum(removed.values())
        removed[name] = _remove_keyed(session, table, due=due, limit=left)
        if removed[name] == left:
            return Swept(removed, after="more")
    if since is None or since < bound - _CURSOR_STEP:
        session.merge(RetentionCursor(owner_id=owner.id, kind=_ROLLUPS, position=bound.isoformat()))
    return Swept(removed)


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
    base = hub_ages(session)
    days = max(effective_ages(own, base).rollup_days for _, own in session.execute(query))
    bound = oldest_kept(days)
    removed: dict[str, int] = {}
    for name, table in _OF_DESTINATIONS.items():
        left = limit - sum(removed.values())
        due = _hours_before(table, owner, bound)
        removed[name] = _remove_keyed(session, table, due=due, limit=left)
        if removed[name] == left:
            return Swept(removed, after="more")
    return Swept(removed)


def _sweep_states(session: Session, owner: Owner, _after: str, limit: int) -> Swept:
    """Remove the states of messages and calls that no report has touched for an event's age."""
    due = [
        col(MessageState.user_id) == owner.user_id,
        col(MessageState.updated_at) < oldest_kept(owner.ages.event_days),
        col(MessageState.integration_id) == owner.id,
    ]
    count = _remove_keyed(session, MessageState, due=due, limit=limit)
    return Swept({"states": count}, after="more" if count == limit else None)


def _sweep_conversations(session: Session, owner: Owner, _after: str, limit: int) -> Swept:
    """Forget whom was written to and has not answered in a month."""
    due = [
        col(Conversation.integration_id) == owner.id,
        col(Conversation.sent_at) < oldest_kept(_CONVERSATION_DAYS),
    ]
    count = _remove_keyed(session, Conversation, due=due, limit=limit)
    return Swept({"conversations": count}, after="more" if count == limit else None)


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
    "conversations": _sweep_conversations,
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


def _remove_keyed(session: Session, table: Any, *, due: Sequence[Any], limit: int) -> int:
    place = list(inspect(table).primary_key)
    chosen = select(*place).where(*due).limit(limit)
    done: Any = session.execute(delete(table).where(tuple_(*place).in_(chosen)))
    return int(done.rowcount)


def _hours_before(table: Any, owner: Owner, bound: datetime) -> list[Any]:
    return [col(table.user_id) == owner.user_id, col(table.hour) < bound]
