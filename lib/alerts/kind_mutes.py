"""Kinds of alerts that a user wants to hear nothing of for a while; everybody for themselves."""

from datetime import datetime, timedelta

from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from lib import audit
from lib.access import Actor, require_writer
from lib.alerts.grouping import MOST_IN_A_GROUP, announce
from lib.alerts.kinds import KINDS
from lib.clock import now
from lib.database import Database
from lib.errors import InvalidInput
from lib.hub import Hub
from lib.models import Alert, AlertKindMute

MUTED_FOR = timedelta(days=1)
_MOST_AT_ONCE = 50


def muted_kinds(hub: Hub, actor: Actor) -> dict[str, datetime]:
    """Return until when the caller hears nothing of which kinds; raise NotAllowed."""
    require_writer(actor)
    with hub.database.read() as session:
        rows = session.exec(
            select(AlertKindMute).where(
                AlertKindMute.user_id == actor.id, col(AlertKindMute.muted_until) > now()
            )
        ).all()
    return {row.kind: row.muted_until for row in rows}


def mute_kind(hub: Hub, actor: Actor, kind: str) -> datetime:
    """Tell the caller nothing of a kind for a day; return until when. Raises InvalidInput."""
    require_writer(actor)
    if kind not in KINDS:
        raise InvalidInput("There is no such kind of alert.", field="kind")
    until = now() + MUTED_FOR
    stated = until.isoformat(timespec="minutes")
    with hub.database.write() as session:
        session.merge(AlertKindMute(user_id=actor.id, kind=kind, muted_until=until))
        audit.record(session, actor, "alert_kind.muted", kind, until=stated)
    return until


def unmute_kind(hub: Hub, actor: Actor, kind: str) -> None:
    """Tell the caller of a kind again; what is still open of it is told with the next round."""
    require_writer(actor)
    with hub.database.write() as session:
        row = session.get(AlertKindMute, (actor.id, kind))
        if row is not None and row.muted_until > now():
            row.muted_until = now()
            audit.record(session, actor, "alert_kind.unmuted", kind)


def tell_unmuted(database: Database, moment: datetime) -> int:
    """End the mutes that are over and tell their users what is still open of these kinds."""
    with database.read() as session:
        if session.exec(_ended(moment)).first() is None:
            return 0
    told = 0
    with database.write() as session:
        for mute in session.exec(_ended(moment).with_for_update(skip_locked=True)).all():
            still_open = session.exec(
                select(Alert)
                .where(
                    Alert.user_id == mute.user_id, Alert.state == "open", Alert.kind == mute.kind
                )
                .limit(MOST_IN_A_GROUP)
            ).all()
            session.delete(mute)
            session.flush()
            announce(session, still_open, moment, only_to=mute.user_id)
            told += len(still_open)
    return told


def _ended(moment: datetime) -> SelectOfScalar[AlertKindMute]:
    return (
        select(AlertKindMute)
        .where(col(AlertKindMute.muted_until) <= moment)
        .order_by(col(AlertKindMute.user_id), col(AlertKindMute.kind))
        .limit(_MOST_AT_ONCE)
    )
