"""The queue of messages: claimed under a lease, sent beside the deliveries, tried six times."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlmodel import Session, col, select

from lib.alerts.grouping import MOST_IN_A_GROUP, muted_kinds_of, tellable
from lib.alerts.text_limit import LEASE, next_text_at
from lib.alerts.transports import Failure, Transports
from lib.alerts.wording import News, compose
from lib.clock import now
from lib.hub import Hub
from lib.models import Alert, AlertChannel, AlertMessage
from lib.outgoing.exchange import Sender
from lib.worker.database_thread import DatabaseThread

log = structlog.get_logger()

LOOK_SECONDS = 1.0
MOST_AT_ONCE = 10
PAUSES = tuple(timedelta(seconds=each) for each in (30, 120, 600, 1_800, 7_200))
MOST_TRIES = len(PAUSES) + 1


@dataclass(frozen=True, repr=False)
class Outgoing:
    """A claimed message with what it says."""

    id: str
    attempt: int
    channel: AlertChannel
    news: News


class AlertSender:
    """Sends what is due until it is cancelled; one slow channel holds up no other."""

    def __init__(self, hub: Hub, sender: Sender, database: DatabaseThread) -> None:
        self._hub = hub
        self._database = database
        self._transports = Transports(hub, sender)
        self._running: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Look, send, and look again."""
        try:
            while True:
                await self.turn()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            for task in self._running:
                task.cancel()
            self._transports.close()

    async def turn(self) -> None:
        """Claim what is due and begin to send it."""
        room = MOST_AT_ONCE - len(self._running)
        if room <= 0:
            return
        for outgoing in await self._database.run(lambda: claim_due(self._hub, room)):
            task = asyncio.create_task(self._send(outgoing))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def finish(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self._running)

    async def _send(self, outgoing: Outgoing) -> None:
        failure = await self._transports.send(outgoing.channel, outgoing.news)
        await self._database.run(lambda: settle(self._hub, outgoing, failure))
        if failure is not None:
            log.warning(
                "alert_not_told",
                channel=outgoing.channel.id,
                kind=outgoing.channel.kind,
                attempt=outgoing.attempt,
            )


def claim_due(hub: Hub, most: int) -> list[Outgoing]:
    """Take up to `most` due messages under a lease; what nobody wants to hear any more goes."""
    moment = now()
    with hub.database.write() as session:
        rows = session.exec(
            select(AlertMessage, AlertChannel)
            .join(AlertChannel, col(AlertChannel.id) == AlertMessage.channel_id)
            .where(
                col(AlertMessage.due_at).is_not(None),
                col(AlertMessage.due_at) <= moment,
                col(AlertMessage.lease_until).is_(None) | (col(AlertMessage.lease_until) <= moment),
                col(AlertChannel.is_active).is_(True),
            )
            .order_by(col(AlertMessage.due_at))
            .limit(most)
            .with_for_update(skip_locked=True, of=AlertMessage)
        ).all()
        _lock_texting(session, [channel for _, channel in rows])
        found = [_claim(session, hub, message, channel=channel) for message, channel in rows]
        return [each for each in found if each is not None]


def settle(hub: Hub, outgoing: Outgoing, failure: Failure | None) -> None:
    """Write how one try ended, on the message and on its channel."""
    moment = now()
    with hub.database.write() as session:
        message = session.get(AlertMessage, outgoing.id, with_for_update=True)
        channel = session.get(AlertChannel, outgoing.channel.id, with_for_update=True)
        if message is None or channel is None:
            return
        message.lease_until = None
        if failure is None:
            message.status, message.due_at, message.error = "sent", None, None
            message.sent_at = channel.last_sent_at = moment
            channel.last_error = None
            return
        message.error = channel.last_error = failure.message
        if failure.is_final or message.attempts >= MOST_TRIES:
            message.status, message.due_at = "failed", None
        else:
            message.due_at = moment + PAUSES[message.attempts - 1]


def _claim(
    session: Session, hub: Hub, message: AlertMessage, *, channel: AlertChannel
) -> Outgoing | None:
    moment = now()
    if channel.kind == "sms" and (later := next_text_at(session, channel.id, moment)):
        message.due_at = later
        return None
    wanted = _wanted(session, message, channel, moment=moment)
    if not wanted:
        session.delete(message)
        return None
    # Counted as it is claimed: a worker that dies has used a try.
    message.attempts += 1
    if message.attempts > MOST_TRIES:
        message.status, message.due_at, message.lease_until = "failed", None, None
        message.error = channel.last_error = "The hub was stopped while it sent this."
        return None
    message.lease_until = moment + LEASE
    news = compose(wanted, hub.settings.dashboard_address)
    return Outgoing(message.id, message.attempts, channel, news)


def _lock_texting(session: Session, channels: Sequence[AlertChannel]) -> None:
    """Let one worker at a time spend a channel's texts; all lock in one order."""
    ids = [each.id for each in channels if each.kind == "sms"]
    if ids:
        query = select(AlertChannel.id).where(col(AlertChannel.id).in_(ids))
        session.exec(query.order_by(col(AlertChannel.id)).with_for_update()).all()


def _wanted(
    session: Session, message: AlertMessage, channel: AlertChannel, *, moment: datetime
) -> Sequence[Alert]:
    ids = message.alert_ids[:MOST_IN_A_GROUP]
    rows = session.exec(select(Alert).where(col(Alert.id).in_(ids))).all()
    muted = muted_kinds_of(session, [channel.user_id], moment)
    return [
        each
        for each in tellable(session, rows, moment)
        if (channel.user_id, each.kind) not in muted
    ]
