"""What screens read of alerts, and muting them: members their own, staff all, analysts none."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import and_, func, or_
from sqlmodel import Session, col, select

from lib import audit
from lib.access import Actor, require_writer
from lib.alerts.kinds import UNTIL_RESOLVED, Severity, label_of, severity_of
from lib.clock import now
from lib.errors import InvalidInput, NotFound
from lib.hub import Hub
from lib.lists.paging import Page, check_limit
from lib.models import Alert, AlertKindMute, User

Mute = Literal["hour", "day", "resolved"]
STATES = ("open", "resolved")


@dataclass(frozen=True)
class AlertView:
    """An alert as screens show it; `owner` is the address of whose it is."""

    id: str
    kind: str
    label: str
    severity: Severity
    state: str
    title: str
    message: str
    path: str
    count: int
    first_seen_at: datetime
    last_seen_at: datetime
    resolved_at: datetime | None
    muted_until: datetime | None
    owner: str

    @property
    def is_muted(self) -> bool:
        """Whether nothing is told of it now."""
        return self.muted_until is not None and self.muted_until > now()

    @property
    def is_muted_until_resolved(self) -> bool:
        """Whether only its end lifts the mute."""
        return self.muted_until == UNTIL_RESOLVED


@dataclass(frozen=True)
class AlertFilters:
    """What the list shows; None for all."""

    state: str | None = None
    kind: str | None = None


def list_alerts(
    hub: Hub,
    actor: Actor,
    filters: AlertFilters,
    *,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[AlertView]:
    """Return one page of alerts, what began last first; raise NotAllowed for analysts.

    One that returns begins anew, so it moves up. Raises InvalidInput for a broken cursor.
    """
    require_writer(actor)
    check_limit(limit)
    query = select(Alert, User.email).join(User, col(User.id) == Alert.user_id)
    if not actor.sees_all:
        query = query.where(Alert.user_id == actor.id)
    if filters.state:
        query = query.where(Alert.state == filters.state)
    if filters.kind:
        query = query.where(Alert.kind == filters.kind)
    began_at, row_id = col(Alert.first_seen_at), col(Alert.id)
    if cursor:
        moment, last_id = _read_cursor(cursor)
        is_later = or_(began_at < moment, and_(began_at == moment, row_id < last_id))
        query = query.where(began_at <= moment, is_later)
    query = query.order_by(began_at.desc(), row_id.desc()).limit(limit + 1)
    with hub.database.read() as session:
        rows = session.exec(query).all()
    shown = [_view(alert, email) for alert, email in rows[:limit]]
    is_last = len(rows) <= limit
    return Page(shown, None if is_last else _cursor_of(shown[-1]))


def count_open(hub: Hub, actor: Actor) -> int:
    """Return for the bell how many alerts are open and not muted; raise NotAllowed.

    Kinds that the caller has muted do not count either.
    """
    require_writer(actor)
    moment = now()
    unheard = select(AlertKindMute.kind).where(
        AlertKindMute.user_id == actor.id, col(AlertKindMute.muted_until) > moment
    )
    query = (
        select(func.count())
        .select_from(Alert)
        .where(
            Alert.state == "open",
            or_(col(Alert.muted_until).is_(None), col(Alert.muted_until) <= moment),
            col(Alert.kind).not_in(unheard),
        )
    )
    if not actor.sees_all:
        query = query.where(Alert.user_id == actor.id)
    with hub.database.read() as session:
        return session.exec(query).one()


def mute(hub: Hub, actor: Actor, alert_id: str, *, until: Mute) -> None:
    """Tell nothing of an alert for a while; raise NotFound for another's."""
    require_writer(actor)
    moment = now()
    ends = {
        "hour": moment + timedelta(hours=1),
        "day": moment + timedelta(days=1),
        "resolved": UNTIL_RESOLVED,
    }
    with hub.database.write() as session:
        row = _owned(session, actor, alert_id)
        row.muted_until = ends[until]
        audit.record(session, actor, "alert.muted", row.id, kind=row.kind, until=until)


def unmute(hub: Hub, actor: Actor, alert_id: str) -> None:
    """Let an alert be told again; raise NotFound for another's."""
    require_writer(actor)
    with hub.database.write() as session:
        row = _owned(session, actor, alert_id)
        row.muted_until = None
        audit.record(session, actor, "alert.unmuted", row.id, kind=row.kind)


def silent_integrations(session: Session, ids: Iterable[str]) -> set[str]:
    """Return those of these integrations that are silent against their rhythm."""
    return set(
        session.exec(
            select(Alert.object_id).where(
                col(Alert.object_id).in_(list(ids)),
                Alert.kind == "integration_silent",
                Alert.state == "open",
            )
        ).all()
    )


def _cursor_of(row: AlertView) -> str:
    return f"{row.first_seen_at.isoformat()}|{row.id}"


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    stated, _, last_id = cursor.partition("|")
    try:
        return datetime.fromisoformat(stated), last_id
    except ValueError:
        raise InvalidInput("Begin with the first page again.", field="cursor") from None


def _owned(session: Session, actor: Actor, alert_id: str) -> Alert:
    row = session.get(Alert, alert_id, with_for_update=True)
    if row is None or (row.user_id != actor.id and not actor.sees_all):
        raise NotFound("There is no such alert. It may have been removed.")
    return row


def _view(row: Alert, email: str) -> AlertView:
    return AlertView(
        id=row.id,
        kind=row.kind,
        label=label_of(row.kind),
        severity=severity_of(row.kind),
        state=row.state,
        title=row.title,
        message=row.message,
        path=row.path,
        count=row.count,
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
        resolved_at=row.resolved_at,
        muted_until=row.muted_until,
        owner=email,
    )
