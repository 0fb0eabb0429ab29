"""The mail server of the hub, set by staff in a form; its password is sealed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from sqlmodel import Session

from lib import audit
from lib.access import Actor, require_staff
from lib.alerts.mail import Mail, MailServer, Security, send_mail
from lib.alerts.wording import as_html, as_text, trial_news
from lib.clock import now
from lib.errors import InvalidInput
from lib.hub import Hub
from lib.models import HubSetting
from lib.vault.seals import Vault

NAME = "mail"
_PASSWORD = "password"  # noqa: S105 - a field's name
_PLACE = ("hub_settings", NAME, _PASSWORD)
SECURITIES: tuple[Security, ...] = get_args(Security)
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[?[0-9A-Fa-f:]{2,39}\]?")
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251})")
_HIGHEST_PORT = 65_535


@dataclass(frozen=True)
class MailSettings:
    """The server as the form shows it; `has_password` stands for the password itself."""

    host: str
    port: int
    security: str
    user: str
    sender: str
    has_password: bool


@dataclass(frozen=True)
class MailDraft:
    """What the form holds; a blank password keeps the stored one while host and user stay."""

    host: str
    port: int
    security: str
    user: str = ""
    sender: str = ""
    password: str = field(default="", repr=False)


def get_mail_settings(hub: Hub, actor: Actor) -> MailSettings | None:
    """Return the mail server, None while there is none; staff only."""
    require_staff(actor)
    with hub.database.read() as session:
        row = session.get(HubSetting, NAME)
    if row is None:
        return None
    value = row.value
    return MailSettings(
        value["host"],
        value["port"],
        value["security"],
        value["user"],
        value["sender"],
        _PASSWORD in value,
    )


def set_mail_settings(hub: Hub, actor: Actor, draft: MailDraft) -> None:
    """Store the mail server; raise InvalidInput naming the field. Staff only."""
    require_staff(actor)
    _check(draft)
    with hub.database.write() as session:
        row = session.get(HubSetting, NAME, with_for_update=True)
        before = row.value if row else {}
        value = _value(hub.vault, draft, before)
        if row is None:
            row = HubSetting(name=NAME, value=value, updated_at=now())
            session.add(row)
        row.value, row.updated_at, row.updated_by = value, now(), actor.id
        changes = audit.difference(_facts(before), _facts(value))
        entered = _PASSWORD if draft.password else ""
        audit.record(session, actor, "mail.set", NAME, changes=changes, fields=entered)


def remove_mail_settings(hub: Hub, actor: Actor) -> None:
    """Forget the mail server; e-mail channels then fail with a sentence. Staff only."""
    require_staff(actor)
    with hub.database.write() as session:
        row = session.get(HubSetting, NAME, with_for_update=True)
        if row is not None:
            session.delete(row)
            audit.record(session, actor, "mail.removed", NAME)


def send_test_mail(hub: Hub, actor: Actor) -> None:
    """Send a test message to the caller's own address; raise MailError. Staff only."""
    require_staff(actor)
    with hub.database.write() as session:
        server = open_mail_server(session, hub.vault)
        audit.record(session, actor, "mail.tested", NAME)
    news = trial_news(hub.settings.dashboard_address)
    send_mail(server, Mail(actor.email, news.subject, as_text(news), as_html(news)))


def open_mail_server(session: Session, vault: Vault) -> MailServer:
    """Return the server with its password; raise InvalidInput while none is set."""
    row = session.get(HubSetting, NAME)
    if row is None:
        raise InvalidInput(
            "No mail server is set. Staff enter one under Alerts, Mail server.", field="mail"
        )
    value = row.value
    sealed = value.get(_PASSWORD)
    return MailServer(
        host=value["host"],
        port=value["port"],
        security=value["security"],
        user=value["user"],
        sender=value["sender"],
        password=vault.open(sealed["sealed"], place=_PLACE) if sealed else "",
    )


def check_address(text: str, *, field: str) -> str:
    """Return an e-mail address without spaces around it; raise InvalidInput."""
    address = text.strip()
    if not _ADDRESS.fullmatch(address):
        raise InvalidInput(
            "The e-mail address is not right. Enter one such as ada@example.com.", field=field
        )
    return address


def is_mail_outdated(session: Session, vault: Vault) -> bool:
    """Say whether the password is sealed with another key than the one that seals now."""
    row = session.get(HubSetting, NAME)
    entry = row.value.get(_PASSWORD) if row else None
    return entry is not None and not vault.is_current(entry["sealed"])


def reseal_mail(hub: Hub) -> int:
    """Seal the password with the key that seals now; return how many values were sealed."""
    with hub.database.write() as session:
        row = session.get(HubSetting, NAME, with_for_update=True)
        entry = row.value.get(_PASSWORD) if row else None
        if row is None or entry is None or hub.vault.is_current(entry["sealed"]):
            return 0
        text = hub.vault.open(entry["sealed"], place=_PLACE)
        renewed = {"sealed": hub.vault.seal(text, place=_PLACE)}
        row.value = {**row.value, _PASSWORD: renewed}
    return 1


def _check(draft: MailDraft) -> None:
    if not _HOST.fullmatch(draft.host.strip()):
        raise InvalidInput("Enter the mail server's host name alone.", field="host")
    if not 0 < draft.port <= _HIGHEST_PORT:
        raise InvalidInput("Enter a port from 1 to 65535; 587 is usual.", field="port")
    if draft.security not in SECURITIES:
        raise InvalidInput("Choose STARTTLS, TLS or none.", field="security")
    check_address(draft.sender, field="sender")
    if draft.security == "none" and draft.user.strip():
        raise InvalidInput(
            "Without encryption a password would travel in the clear. Choose STARTTLS or TLS, or "
            "leave the user name blank.",
            field="security",
        )


def _value(vault: Vault, draft: MailDraft, stored: Mapping[str, Any]) -> dict[str, Any]:
    value: dict[str, Any] = {
        "host": draft.host.strip(),
        "port": draft.port,
        "security": draft.security,
        "user": draft.user.strip(),
        "sender": draft.sender.strip(),
    }
    if not value["user"]:
        return value
    if draft.password:
        return {**value, _PASSWORD: {"sealed": vault.seal(draft.password, place=_PLACE)}}
    # Sent to another server, the stored password would be given away.
    same = all(stored.get(name) == value[name] for name in ("host", "port", "security", "user"))
    if not same or _PASSWORD not in stored:
        raise InvalidInput("Enter the password of this user at this server.", field="password")
    return {**value, _PASSWORD: stored[_PASSWORD]}


def _facts(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is set without the password, to tell what a change changed."""
    return {name: fact for name, fact in value.items() if name != _PASSWORD}
