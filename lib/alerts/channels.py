"""The channels over which people hear of alerts: members their own, staff all."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from sqlmodel import Session, col, select

from lib import audit
from lib.access import Actor, Role, require_writer
from lib.addresses import check_url
from lib.alerts.kinds import EVERYTHING, KINDS
from lib.alerts.mail_settings import check_address
from lib.alerts.text_limit import begin_trial, end_trial
from lib.alerts.transports import URL, Failure, Transports, texting_action
from lib.alerts.wording import trial_news
from lib.clock import now
from lib.errors import InvalidInput, NotFound
from lib.hub import Hub
from lib.ids import new_id
from lib.models import AlertChannel, IntegrationConfig, User
from lib.outgoing.hook_sender import HookSender
from lib.vault.row_secrets import keep_secrets, masks, open_secrets
from lib.vendors.action_runs import check_input

CHANNEL_KINDS = {"email": "E-mail", "slack": "Slack-compatible hook", "sms": "SMS"}
MOST_CHANNELS = 20
_TRIAL_SECONDS = 20.0
_LONGEST_NAME = 80
_LAST_HOUR = 23


@dataclass(frozen=True)
class ChannelDraft:
    """What the form of a channel holds; a blank `url` keeps the stored one.

    `quiet_from` and `quiet_to` are hours of the day in `zone`, both None for no quiet hours.
    """

    kind: str
    name: str
    address: str = ""
    url: str = field(default="", repr=False)
    integration_id: str = ""
    number: str = ""
    alert_kinds: tuple[str, ...] = (EVERYTHING,)
    hears_all: bool = False
    quiet_from: int | None = None
    quiet_to: int | None = None
    zone: str = "UTC"


@dataclass(frozen=True)
class ChannelView:
    """A channel as screens show it; `reaches` is the address, masked where it is a secret."""

    id: str
    kind: str
    name: str
    reaches: str
    shown: dict[str, Any]
    alert_kinds: tuple[str, ...]
    is_active: bool
    last_sent_at: datetime | None
    last_error: str | None
    owner: str


@dataclass(frozen=True)
class Texter:
    """An integration that can send text messages."""

    id: str
    name: str


def list_channels(hub: Hub, actor: Actor) -> list[ChannelView]:
    """Return the channels by name; raise NotAllowed for analysts."""
    require_writer(actor)
    query = select(AlertChannel, User.email).join(User, col(User.id) == AlertChannel.user_id)
    if not actor.sees_all:
        query = query.where(AlertChannel.user_id == actor.id)
    with hub.database.read() as session:
        rows = session.exec(
            query.order_by(col(AlertChannel.name), col(AlertChannel.id)).limit(200)
        ).all()
    return [_view(row, email) for row, email in rows]


def list_texters(hub: Hub, actor: Actor) -> list[Texter]:
    """Return the caller's own integrations that send text messages; raise NotAllowed."""
    require_writer(actor)
    with hub.database.read() as session:
        rows = session.exec(
            select(IntegrationConfig)
            .where(
                IntegrationConfig.user_id == actor.id,
                col(IntegrationConfig.deleted_at).is_(None),
            )
            .order_by(col(IntegrationConfig.name))
            .limit(200)
        ).all()
    return [Texter(row.id, row.name) for row in rows if texting_action(row) is not None]


def add(hub: Hub, actor: Actor, draft: ChannelDraft) -> str:
    """Store a new channel of the caller and return its id; raise InvalidInput."""
    require_writer(actor)
    if draft.kind not in CHANNEL_KINDS:
        raise InvalidInput("Choose e-mail, a hook or SMS.", field="kind")
    moment = now()
    with hub.database.write() as session:
        own = session.exec(select(AlertChannel.id).where(AlertChannel.user_id == actor.id)).all()
        if len(own) >= MOST_CHANNELS:
            raise InvalidInput(
                f"There are {MOST_CHANNELS} channels already. Remove one first.", field="name"
            )
        row = AlertChannel(
            id=new_id("alc"),
            user_id=actor.id,
            name="",
            kind=draft.kind,
            config_data={},
            credentials={},
            alert_kinds=[],
            is_active=True,
            created_at=moment,
            updated_at=moment,
        )
        _fill(session, hub, row, draft=draft)
        session.add(row)
        audit.record(session, actor, "alert_channel.added", row.id, name=row.name, kind=row.kind)
    return row.id


def update(hub: Hub, actor: Actor, channel_id: str, draft: ChannelDraft) -> None:
    """Change a channel but not its kind; raise NotFound for another's, InvalidInput."""
    require_writer(actor)
    with hub.database.write() as session:
        row = _owned(session, actor, channel_id)
        before = _facts(row)
        _fill(session, hub, row, draft=draft)
        row.last_error = None
        facts = {"name": row.name, "fields": URL if draft.url.strip() else ""}
        done = audit.difference(before, _facts(row))
        audit.record(session, actor, "alert_channel.changed", row.id, changes=done, **facts)


def pause(hub: Hub, actor: Actor, channel_id: str) -> None:
    """Tell nothing over a channel until it is resumed; raise NotFound for another's."""
    _switch(hub, actor, channel_id, is_active=False)


def resume(hub: Hub, actor: Actor, channel_id: str) -> None:
    """Tell over a paused channel again; raise NotFound for another's."""
    _switch(hub, actor, channel_id, is_active=True)


def remove(hub: Hub, actor: Actor, channel_id: str) -> None:
    """Remove a channel with what it was about to tell; raise NotFound for another's."""
    require_writer(actor)
    with hub.database.write() as session:
        row = _owned(session, actor, channel_id)
        audit.record(session, actor, "alert_channel.removed", row.id, name=row.name)
        session.delete(row)


def send_test(hub: Hub, actor: Actor, channel_id: str) -> Failure | None:
    """Send a test message now and return why it failed; raise NotFound for another's.

    A text message costs money, so it counts, and RateLimited is raised when none is left.
    Runs an event loop of its own, so it is called from a thread without one.
    """
    require_writer(actor)
    with hub.database.write() as session:
        row = _owned(session, actor, channel_id)
        trial_id = begin_trial(session, row, now())
        audit.record(session, actor, "alert_channel.tested", row.id, name=row.name)
    failure = asyncio.run(_try(hub, row))
    with hub.database.write() as session:
        row = _owned(session, actor, channel_id)
        end_trial(session, trial_id, failure, moment=now())
        row.last_error = failure.message if failure else None
        row.last_sent_at = row.last_sent_at if failure else now()
    return failure


async def _try(hub: Hub, row: AlertChannel) -> Failure | None:
    async with HookSender(hub.settings.allowed_private_networks, _TRIAL_SECONDS) as sender:
        transports = Transports(hub, sender)
        try:
            return await transports.send(row, trial_news(hub.settings.dashboard_address))
        finally:
            transports.close()


def _switch(hub: Hub, actor: Actor, channel_id: str, *, is_active: bool) -> None:
    require_writer(actor)
    with hub.database.write() as session:
        row = _owned(session, actor, channel_id)
        row.is_active, row.updated_at = is_active, now()
        done = "resumed" if is_active else "paused"
        audit.record(session, actor, f"alert_channel.{done}", row.id, name=row.name)


def _owned(session: Session, actor: Actor, channel_id: str) -> AlertChannel:
    row = session.get(AlertChannel, channel_id, with_for_update=True)
    if row is None or (row.user_id != actor.id and not actor.sees_all):
        raise NotFound("There is no such channel. It may have been removed.")
    return row


def _facts(row: AlertChannel) -> dict[str, Any]:
    return {"name": row.name, "alert_kinds": row.alert_kinds, **row.config_data}


def _fill(session: Session, hub: Hub, row: AlertChannel, *, draft: ChannelDraft) -> None:
    name = " ".join(draft.name.split())
    if not name or len(name) > _LONGEST_NAME:
        raise InvalidInput("Enter a name of up to 80 characters.", field="name")
    kinds = list(dict.fromkeys(draft.alert_kinds))
    if not kinds or not set(kinds) <= {EVERYTHING, *KINDS}:
        raise InvalidInput("Choose at least one kind of alert.", field="alert_kinds")
    reach = {"email": _fill_email, "slack": _fill_hook, "sms": _fill_sms}[row.kind]
    config = reach(session, hub, row, draft=draft)
    owner = session.get(User, row.user_id)
    is_staff = owner is not None and owner.role == Role.STAFF
    config["hears_all"] = draft.hears_all and is_staff
    row.name, row.alert_kinds = name, kinds
    row.config_data = {**config, **_quiet(draft)}
    row.updated_at = now()


def _fill_email(
    _session: Session, _hub: Hub, _row: AlertChannel, *, draft: ChannelDraft
) -> dict[str, Any]:
    return {"address": check_address(draft.address, field="address")}


def _fill_hook(
    _session: Session, hub: Hub, row: AlertChannel, *, draft: ChannelDraft
) -> dict[str, Any]:
    url = draft.url.strip() or open_secrets(hub.vault, row).get(URL, "")
    if not url:
        raise InvalidInput("Enter the hook's address.", field="url")
    check_url(url, hub.settings.allowed_private_networks)
    keep_secrets(hub.vault, row, {URL: url})
    return {"host": urlsplit(url).hostname or ""}


def _fill_sms(
    session: Session, _hub: Hub, row: AlertChannel, *, draft: ChannelDraft
) -> dict[str, Any]:
    sending = session.get(IntegrationConfig, draft.integration_id)
    action = texting_action(sending) if sending else None
    is_own = sending and sending.user_id == row.user_id and sending.deleted_at is None
    if not is_own or action is None:
        raise InvalidInput("Choose an integration that sends.", field="integration_id")
    number = draft.number.strip()
    try:
        check_input(action, action.text_input(number, "Test"))
    except InvalidInput:
        raise InvalidInput(
            "Enter the number with + and country code, such as +14155550123.", field="number"
        ) from None
    return {"integration_id": draft.integration_id, "number": number}


def _quiet(draft: ChannelDraft) -> dict[str, Any]:
    if draft.quiet_from is None and draft.quiet_to is None:
        return {}
    hours: Sequence[int | None] = (draft.quiet_from, draft.quiet_to)
    if any(hour is None or not 0 <= hour <= _LAST_HOUR for hour in hours):
        raise InvalidInput("Choose both hours of the quiet time, or none.", field="quiet")
    if draft.zone not in available_timezones():
        raise InvalidInput("Choose a time zone such as Europe/Berlin.", field="quiet")
    return {"quiet_from": draft.quiet_from, "quiet_to": draft.quiet_to, "zone": draft.zone}


def _view(row: AlertChannel, email: str) -> ChannelView:
    config = row.config_data
    reaches = config.get("address") or config.get("number") or ""
    if row.kind == "slack":
        reaches = f"{config.get('host', '')}/{masks(row).get(URL, '')}"
    return ChannelView(
        id=row.id,
        kind=row.kind,
        name=row.name,
        reaches=reaches,
        shown=dict(config),
        alert_kinds=tuple(row.alert_kinds),
        is_active=row.is_active,
        last_sent_at=row.last_sent_at,
        last_error=row.last_error,
        owner=email,
    )
