"""How one message leaves over a channel: by e-mail, a hook in Slack's language, or an SMS."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import orjson

from lib.alerts.mail import Mail, MailError, send_mail
from lib.alerts.mail_settings import open_mail_server
from lib.alerts.wording import News, as_hook, as_html, as_sms, as_text
from lib.errors import HubError, InvalidInput, ProviderError
from lib.hub import Hub
from lib.models import AlertChannel, IntegrationConfig
from lib.outgoing.exchange import OutgoingRequest, Sender
from lib.providers.actions import Action
from lib.providers.registry import find_provider
from lib.vault.row_secrets import open_secrets
from lib.vendors.action_runs import check_input, check_usable, perform

URL = "url"
_JSON = {"content-type": "application/json", "user-agent": "MembersHub/1"}
# Statuses that say that the hook itself is gone or refuses for good.
_FINAL = frozenset({400, 401, 403, 404, 405, 410})
_GOOD = range(200, 300)


@dataclass(frozen=True)
class Failure:
    """Why a message did not leave; `is_final` says that it is not tried again."""

    message: str
    is_final: bool = False


class Transports:
    """Sends over every kind of channel; what blocks does so in threads of its own."""

    def __init__(self, hub: Hub, sender: Sender) -> None:
        self._hub = hub
        self._sender = sender
        self._mail_threads = ThreadPoolExecutor(4, "alert-mail")
        self._sms_threads = ThreadPoolExecutor(2, "alert-sms")

    async def send(self, channel: AlertChannel, news: News) -> Failure | None:
        """Send once; return why it failed, None when it was taken. Never raises a HubError."""
        if channel.kind == "slack":
            return await self._send_hook(channel, news)
        if channel.kind == "sms":
            return await self._in_thread(self._sms_threads, lambda: self._send_sms(channel, news))
        return await self._in_thread(self._mail_threads, lambda: self._send_mail(channel, news))

    def close(self) -> None:
        """Take no more; what is under way ends by its own deadline."""
        self._mail_threads.shutdown(wait=False, cancel_futures=True)
        self._sms_threads.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(
        self, threads: ThreadPoolExecutor, send: Callable[[], None]
    ) -> Failure | None:
        try:
            await asyncio.get_running_loop().run_in_executor(threads, send)
        except HubError as error:
            return Failure(error.message, _is_final(error))
        return None

    async def _send_hook(self, channel: AlertChannel, news: News) -> Failure | None:
        try:
            url = open_secrets(self._hub.vault, channel)[URL]
        except HubError as error:
            return Failure(error.message, is_final=True)
        request = OutgoingRequest(url, _JSON, orjson.dumps(as_hook(news)))
        exchange = await self._sender.post(request)
        if exchange.fault is not None:
            is_final = exchange.fault.error_class == "invalid_target"
            return Failure(exchange.fault.message, is_final)
        status = exchange.reply.status if exchange.reply else 0
        if status in _GOOD:
            return None
        return Failure(
            f"The hook answered with status {status}. Check that it still exists and takes "
            "messages in Slack's format.",
            status in _FINAL,
        )

    def _send_mail(self, channel: AlertChannel, news: News) -> None:
        with self._hub.database.read() as session:
            server = open_mail_server(session, self._hub.vault)
        mail = Mail(channel.config_data["address"], news.subject, as_text(news), as_html(news))
        send_mail(server, mail)

    def _send_sms(self, channel: AlertChannel, news: News) -> None:
        with self._hub.database.read() as session:
            row = session.get(IntegrationConfig, channel.config_data["integration_id"])
        if row is None or row.deleted_at is not None or row.user_id != channel.user_id:
            raise InvalidInput(
                "The integration that sends is gone. Edit the channel and choose another.",
                field="integration_id",
            )
        action = texting_action(row)
        if action is None:
            raise InvalidInput(
                "The integration sends no text messages. Choose another.", field="integration_id"
            )
        check_usable(row, action)
        given = action.text_input(channel.config_data["number"], as_sms(news))
        perform(self._hub, row, action, given=check_input(action, given))


def texting_action(row: IntegrationConfig) -> Action | None:
    """Return what of a connection's service sends a text message to a number."""
    provider = find_provider(row.service_name)
    for action in provider.actions if provider else ():
        if action.text_input("", "") is not None:
            return action
    return None


def _is_final(error: HubError) -> bool:
    """Tell whether repeating cannot help, or might send an SMS twice."""
    if isinstance(error, ProviderError):
        return error.permanent or not error.is_unprocessed
    if isinstance(error, MailError):
        return error.permanent
    # A missing setting may be entered while the tries go on.
    return False
