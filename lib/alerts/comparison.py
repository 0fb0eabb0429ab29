"""Conditions compared with the open alerts: what changes is planned on a snapshot, then written."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from lib.alerts.conditions import MOST_ROWS
from lib.alerts.kinds import UNTIL_RESOLVED, Condition
from lib.ids import new_id
from lib.models import Alert

# A row that only says "still so" is not written with every round.
_TOUCH_AFTER = timedelta(minutes=1)


@dataclass(frozen=True)
class Over:
    """An open alert whose condition is gone."""

    alert_id: str


Change = Condition | Over


def plan(
    session: Session,
    kinds: set[str],
    found: Iterable[Condition],
    *,
    moment: datetime,
    users: set[str] | None = None,
) -> list[Change]:
    """Return what is to be written of these kinds, news before what only stays as it is.

    `users` are those of whom all conditions are in `found`, None for all.
    """
    conditions = {(each.user_id, each.kind, each.object_id): each for each in found}
    known = {
        (row.user_id, row.kind, row.object_id): row
        for row in session.exec(
            select(Alert)
            .where(Alert.state == "open", col(Alert.kind).in_(kinds))
            .limit(10 * MOST_ROWS)
        )
    }
    news: list[Change] = [each for key, each in conditions.items() if key not in known]
    # A list that was cut says nothing of what is missing from it.
    if len(conditions) < MOST_ROWS:
        news += [
            Over(row.id)
            for key, row in known.items()
            if key not in conditions and (users is None or row.user_id in users)
        ]
    shared = [key for key in conditions if key in known]
    news += [conditions[key] for key in shared if _is_mute_over(known[key], moment)]
    return news + [
        conditions[key]
        for key in shared
        if not _is_mute_over(known[key], moment) and _is_stale(known[key], moment)
    ]


def write_change(session: Session, change: Change, moment: datetime) -> Alert | None:
    """Write one change; return the alert whose news is to be told, None for none."""
    if isinstance(change, Over):
        row = session.get(Alert, change.alert_id)
        return _resolve(row, moment) if row and row.state == "open" else None
    alert = session.exec(
        select(Alert).where(
            Alert.user_id == change.user_id,
            Alert.kind == change.kind,
            Alert.object_id == change.object_id,
        )
    ).first()
    if alert is None:
        alert = _new_alert(change, moment)
        session.add(alert)
        return alert
    if alert.state == "open":
        return _touch(alert, change, moment)
    alert.state, alert.resolved_at = "open", None
    alert.first_seen_at, alert.count = moment, alert.count + 1
    _write(alert, change, moment)
    return alert


def _is_mute_over(alert: Alert, moment: datetime) -> bool:
    return alert.muted_until is not None and alert.muted_until <= moment


def _is_stale(alert: Alert, moment: datetime) -> bool:
    return moment - alert.last_seen_at >= _TOUCH_AFTER


def _touch(alert: Alert, condition: Condition, moment: datetime) -> Alert | None:
    """Keep an open alert up to date; one whose mute has ended is told again."""
    if _is_stale(alert, moment):
        _write(alert, condition, moment)
    if _is_mute_over(alert, moment):
        alert.muted_until = None
        return alert
    return None


def _write(alert: Alert, condition: Condition, moment: datetime) -> None:
    alert.title, alert.message, alert.path = condition.title, condition.message, condition.path
    alert.last_seen_at = moment


def _resolve(alert: Alert, moment: datetime) -> Alert:
    alert.state, alert.resolved_at = "resolved", moment
    if alert.muted_until == UNTIL_RESOLVED:
        alert.muted_until = None
    return alert


def _new_alert(condition: Condition, moment: datetime) -> Alert:
    return Alert(
        id=new_id("alr"),
        user_id=condition.user_id,
        kind=condition.kind,
        object_id=condition.object_id,
        state="open",
        title=condition.title,
        message=condition.message,
        path=condition.path,
        count=1,
        first_seen_at=moment,
        last_seen_at=moment,
    )
