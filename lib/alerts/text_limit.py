"""How many text messages a channel may send: each costs its owner money."""

from datetime import datetime, timedelta

from sqlalchemy import func, or_
from sqlmodel import Session, col, select

from lib.alerts.transports import Failure
from lib.errors import RateLimited
from lib.ids import new_id
from lib.models import AlertChannel, AlertMessage

SMS_AN_HOUR = 10
# Longer than every deadline of a transport, so that nobody sends it meanwhile.
LEASE = timedelta(minutes=3)
_HOUR = timedelta(hours=1)


def next_text_at(session: Session, channel_id: str, moment: datetime) -> datetime | None:
    """Return when the channel may cost money again, None for now.

    What is being sent counts, and so does what failed: the provider may have taken it. Lock
    the channel before, so that two workers do not both take the last one.
    """
    session.flush()
    spent_at = func.coalesce(AlertMessage.sent_at, AlertMessage.created_at)
    spent = session.exec(
        select(spent_at)
        .where(
            AlertMessage.channel_id == channel_id,
            or_(
                col(AlertMessage.sent_at) > moment - _HOUR,
                col(AlertMessage.lease_until) > moment,
                col(AlertMessage.status).in_(("failed", "trial"))
                & (col(AlertMessage.created_at) > moment - _HOUR),
            ),
        )
        .order_by(spent_at.desc())
        .limit(SMS_AN_HOUR)
    ).all()
    if len(spent) < SMS_AN_HOUR:
        return None
    # What has waited for long and is being sent now was made more than an hour ago.
    return max(spent[-1] + _HOUR, moment + timedelta(minutes=1))


def begin_trial(session: Session, channel: AlertChannel, moment: datetime) -> str | None:
    """Note a test that will cost money and return its id, None for other kinds of channels.

    Raises RateLimited when the hour's messages are spent; the channel must be locked.
    """
    if channel.kind != "sms":
        return None
    later = next_text_at(session, channel.id, moment)
    if later is not None:
        minutes = max(1, round((later - moment) / timedelta(minutes=1)))
        raise RateLimited(
            f"This channel has sent {SMS_AN_HOUR} messages within an hour. Test it again in "
            f"{minutes} min.",
            retry_after_seconds=60 * minutes,
        )
    row = AlertMessage(
        id=new_id("alm"),
        channel_id=channel.id,
        alert_ids=[],
        status="trial",
        attempts=1,
        created_at=moment,
    )
    session.add(row)
    return row.id


def end_trial(
    session: Session, message_id: str | None, failure: Failure | None, *, moment: datetime
) -> None:
    """Note how a test ended."""
    row = session.get(AlertMessage, message_id) if message_id else None
    if row is not None:
        row.sent_at = None if failure else moment
        row.error = failure.message if failure else None
