"""Which news go to which channel, and when: the first at once, further ones collected."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from lib.alerts.kinds import EVERYTHING
from lib.ids import new_id
from lib.models import Alert, AlertChannel, AlertKindMute, AlertMessage, Issue, User

SHORTEST = timedelta(minutes=5)
LONGEST = timedelta(hours=1)
MOST_IN_A_GROUP = 200
_MOST_CHANNELS = 1_000
_TAKEN_UP = ("acknowledged", "ignored")


def announce(
    session: Session, alerts: Sequence[Alert], moment: datetime, *, only_to: str | None = None
) -> None:
    """Put the news of `alerts` on the messages of all channels that hear them.

    `only_to` is the one user whose channels are meant, None for all.
    """
    session.flush()
    news = tellable(session, alerts, moment)
    if not news:
        return
    channels = [
        each
        for each in _channels(session, {each.user_id for each in news})
        if only_to in (None, each.user_id)
    ]
    muted = muted_kinds_of(session, {each.user_id for each in channels}, moment)
    for channel in channels:
        told = [
            each.id
            for each in news
            if hears(channel, each) and (channel.user_id, each.kind) not in muted
        ]
        if told:
            _add(session, channel, list(dict.fromkeys(told)), moment=moment)


def tellable(session: Session, alerts: Sequence[Alert], moment: datetime) -> list[Alert]:
    """Return those of which something is to be said now.

    Nothing is said of what is muted, nor of issues that somebody took up, muted or ignored:
    that ends their alert, and is no news that the cause was mended.
    """
    ids = [each.object_id for each in alerts if each.kind == "issue_open"]
    handled = set(
        session.exec(
            select(Issue.id).where(
                col(Issue.id).in_(ids),
                col(Issue.state).in_(_TAKEN_UP) | (col(Issue.muted_until) > moment),
            )
        ).all()
        if ids
        else ()
    )
    return [
        each
        for each in alerts
        if not (each.muted_until is not None and each.muted_until > moment)
        and not (each.kind == "issue_open" and each.object_id in handled)
    ]


def muted_kinds_of(
    session: Session, user_ids: Iterable[str], moment: datetime
) -> set[tuple[str, str]]:
    """Return which of these users wants to hear nothing of which kinds."""
    rows = session.exec(
        select(AlertKindMute).where(
            col(AlertKindMute.user_id).in_(list(user_ids)), col(AlertKindMute.muted_until) > moment
        )
    ).all()
    return {(row.user_id, row.kind) for row in rows}


def hears(channel: AlertChannel, alert: Alert) -> bool:
    """Tell whether an alert is for this channel; a hub-wide one has a row for each of staff."""
    wanted = channel.alert_kinds
    if EVERYTHING not in wanted and alert.kind not in wanted:
        return False
    if alert.user_id == channel.user_id:
        return True
    # A hub-wide alert of another member of staff is the same news again.
    return bool(channel.config_data.get("hears_all")) and alert.object_id != "hub"


def after_quiet_hours(channel: AlertChannel, due_at: datetime) -> datetime:
    """Return `due_at`, or the end of the channel's quiet hours if it lies within them."""
    start, end = channel.config_data.get("quiet_from"), channel.config_data.get("quiet_to")
    if start is None or end is None or start == end:
        return due_at
    zone = ZoneInfo(channel.config_data.get("zone") or "UTC")
    local = due_at.astimezone(zone)
    is_quiet = start <= local.hour < end if start < end else not end <= local.hour < start
    if not is_quiet:
        return due_at
    ends = local.replace(hour=end, minute=0, second=0, microsecond=0)
    if ends <= local:
        ends += timedelta(days=1)
    return ends.astimezone(due_at.tzinfo)


def next_due(earlier: Sequence[datetime], moment: datetime) -> datetime:
    """Return when a new group is due, after those that were due at `earlier`, newest first.

    Nothing within the last hour: at once. Else five minutes after the last, and twice the last
    pause when they follow each other, up to an hour.
    """
    if not earlier or moment - earlier[0] >= LONGEST:
        return moment
    pause = SHORTEST
    if len(earlier) > 1 and earlier[0] - earlier[1] < LONGEST:
        pause = min(LONGEST, max(SHORTEST, 2 * (earlier[0] - earlier[1])))
    return max(moment, earlier[0] + pause)


def _channels(session: Session, user_ids: Iterable[str]) -> Sequence[AlertChannel]:
    """Return the active channels of these users, and those of staff, who may hear all."""
    found = session.exec(
        select(AlertChannel, User.role)
        .join(User, col(User.id) == AlertChannel.user_id)
        .where(
            col(AlertChannel.is_active).is_(True),
            col(User.is_active).is_(True),
            col(User.id).in_(list(user_ids)) | (User.role == "staff"),
        )
        .limit(_MOST_CHANNELS)
    ).all()
    wanted = set(user_ids)
    return [
        channel
        for channel, role in found
        if channel.user_id in wanted or (role == "staff" and channel.config_data.get("hears_all"))
    ]


def _add(
    session: Session, channel: AlertChannel, alert_ids: list[str], *, moment: datetime
) -> None:
    waiting = session.exec(
        select(AlertMessage)
        .where(
            AlertMessage.channel_id == channel.id,
            AlertMessage.status == "pending",
            col(AlertMessage.due_at).is_not(None),
            AlertMessage.attempts == 0,
            col(AlertMessage.lease_until).is_(None),
        )
        .order_by(col(AlertMessage.id).desc())
        .limit(1)
        .with_for_update()
    ).first()
    if waiting is not None:
        both = dict.fromkeys([*waiting.alert_ids, *alert_ids])
        waiting.alert_ids = list(both)[:MOST_IN_A_GROUP]
        return
    earlier = session.exec(
        select(AlertMessage.created_at, AlertMessage.sent_at)
        .where(AlertMessage.channel_id == channel.id, AlertMessage.status != "trial")
        .order_by(col(AlertMessage.id).desc())
        .limit(2)
    ).all()
    due_at = next_due([sent_at or created_at for created_at, sent_at in earlier], moment)
    session.add(
        AlertMessage(
            id=new_id("alm"),
            channel_id=channel.id,
            alert_ids=alert_ids[:MOST_IN_A_GROUP],
            status="pending",
            attempts=0,
            due_at=after_quiet_hours(channel, due_at),
            created_at=moment,
        )
    )
