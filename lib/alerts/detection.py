"""One round of looking: conditions are compared with the alerts that are open.

All of it is one transaction under a row's lock, so however many workers there are, a condition
opens one alert and is told once.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from lib.alerts.conditions import FINDERS, MOST_ROWS
from lib.alerts.expirations import KIND as EXPIRING
from lib.alerts.expirations import expiring
from lib.alerts.grouping import announce
from lib.alerts.kinds import UNTIL_RESOLVED, Condition
from lib.alerts.silence import KIND as SILENT
from lib.alerts.silence import SilenceWatch
from lib.clock import now
from lib.hub import Hub
from lib.ids import new_id
from lib.models import Alert, HubFact, User

LOOK_SECONDS = 10.0
FACT = "alert_round"
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_EVERY = timedelta(seconds=LOOK_SECONDS - 1)
_SLOWLY = timedelta(minutes=1)
# A row that only says "still so" is not written with every round.
_TOUCH_AFTER = timedelta(minutes=1)


class Detection:
    """The rounds of one worker; what it learned of rhythms stays with it."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._silence = SilenceWatch()
        self._slow_at: datetime | None = None

    def look(self) -> int:
        """Make a round unless another worker just did; return how many alerts changed."""
        moment = now()
        with self._hub.database.write() as session:
            if not _take_turn(session, moment):
                return 0
            changed = [
                alert
                for kind, find in FINDERS.items()
                for alert in _compare(session, {kind}, find(session, moment), moment=moment)
            ]
            if self._slow_at is None or moment - self._slow_at >= _SLOWLY:
                self._slow_at = moment
                changed += self._look_slowly(session, moment)
            announce(session, changed, moment)
            return len(changed)

    def _look_slowly(self, session: Session, moment: datetime) -> list[Alert]:
        changed = _compare(session, {EXPIRING}, expiring(session, moment), moment=moment)
        found, users = self._silence.look(session, moment)
        return changed + _compare(session, {SILENT}, found, moment=moment, users=users)


def _take_turn(session: Session, moment: datetime) -> bool:
    """Take the round's row; another worker that comes meanwhile waits for it, then sees it."""
    made = {"name": FACT, "value": _NEVER.isoformat()}
    insert = postgresql.insert if _is_postgresql(session) else sqlite.insert
    session.execute(insert(HubFact).values(made).on_conflict_do_nothing())
    row = session.exec(select(HubFact).where(HubFact.name == FACT).with_for_update()).one()
    last = datetime.fromisoformat(row.value)
    if timedelta(0) <= moment - last < _EVERY:
        return False
    row.value = moment.isoformat()
    return True


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def _compare(
    session: Session,
    kinds: set[str],
    found: Iterable[Condition],
    *,
    moment: datetime,
    users: set[str] | None = None,
) -> list[Alert]:
    """Open, touch and resolve alerts of these kinds; return those whose news is to be told.

    `users` are those of whom all conditions are in `found`, None for all.
    """
    conditions = {(each.user_id, each.kind, each.object_id): each for each in found}
    changed = [
        alert
        for condition in conditions.values()
        if (alert := _note(session, condition, moment)) is not None
    ]
    if len(conditions) >= MOST_ROWS:
        # The list was cut, so what is missing from it may still be wrong.
        return changed
    open_alerts = session.exec(
        select(Alert)
        .where(
            col(Alert.user_id).in_(select(User.id)),
            Alert.state == "open",
            col(Alert.kind).in_(kinds),
        )
        .limit(10 * MOST_ROWS)
    ).all()
    for alert in open_alerts:
        is_known = (alert.user_id, alert.kind, alert.object_id) in conditions
        if not is_known and (users is None or alert.user_id in users):
            _resolve(alert, moment)
            changed.append(alert)
    return changed


def _note(session: Session, condition: Condition, moment: datetime) -> Alert | None:
    alert = session.exec(
        select(Alert).where(
            Alert.user_id == condition.user_id,
            Alert.kind == condition.kind,
            Alert.object_id == condition.object_id,
        )
    ).first()
    if alert is None:
        alert = _new_alert(condition, moment)
        session.add(alert)
        return alert
    if alert.state == "open":
        return _touch(alert, condition, moment)
    alert.state, alert.resolved_at = "open", None
    alert.first_seen_at, alert.count = moment, alert.count + 1
    _write(alert, condition, moment)
    return alert


def _touch(alert: Alert, condition: Condition, moment: datetime) -> Alert | None:
    """Keep an open alert up to date; one whose mute has ended is told again."""
    if moment - alert.last_seen_at >= _TOUCH_AFTER:
        _write(alert, condition, moment)
    if alert.muted_until is not None and alert.muted_until <= moment:
        alert.muted_until = None
        return alert
    return None


def _write(alert: Alert, condition: Condition, moment: datetime) -> None:
    alert.title, alert.message, alert.path = condition.title, condition.message, condition.path
    alert.last_seen_at = moment


def _resolve(alert: Alert, moment: datetime) -> None:
    alert.state, alert.resolved_at = "resolved", moment
    if alert.muted_until == UNTIL_RESOLVED:
        alert.muted_until = None


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
