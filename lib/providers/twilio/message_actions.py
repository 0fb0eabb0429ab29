"""Sending and reading messages. https://www.twilio.com/docs/messaging/api/message-resource"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Self

from pydantic import AliasChoices, AwareDatetime, Field, model_validator

from lib.clock import now
from lib.errors import InvalidInput
from lib.providers.actions import Action, ActionCall, ActionInput
from lib.providers.twilio.addresses import Recipient, Sender, WebAddress, channel_of
from lib.providers.twilio.api import TwilioApi
from lib.providers.twilio.errors import explain_code
from lib.providers.twilio.segments import Segments, count_segments
from lib.providers.twilio.senders import own_sender, report_address

_MOST_CHARACTERS = 1600
_SOONEST, _LATEST = timedelta(minutes=5), timedelta(days=35)
_SHOWN = (
    "sid", "status", "direction", "from", "to", "messaging_service_sid", "body", "num_segments",
    "num_media", "price", "price_unit", "error_code", "error_message", "date_created", "date_sent",
)  # fmt: skip
_SENDER_NAMES = AliasChoices("from_number", "from")


class SendMessageInput(ActionInput):
    """A message to one recipient."""

    to: Recipient = Field(
        title="To",
        description="A number with + and country code, a short code, or whatsapp:+14155550123.",
        examples=["+14155550123"],
    )
    body: str | None = Field(
        default=None,
        title="Text",
        description="Up to 1,600 characters. Leave it out when media say enough.",
        min_length=1,
        max_length=_MOST_CHARACTERS,
        json_schema_extra={"format": "textarea"},
    )
    media_urls: list[WebAddress] = Field(
        default=[],
        title="Media addresses",
        description="Up to ten addresses of images or files that anybody can open.",
        max_length=10,
    )
    from_number: Sender | None = Field(
        default=None,
        title="From",
        description="Leave it blank for the integration's sender.",
        validation_alias=_SENDER_NAMES,
    )
    messaging_service_sid: str | None = Field(
        default=None,
        title="Messaging Service",
        description="Its SID, in place of a sender; it begins with MG.",
        pattern=r"^MG[0-9a-fA-F]{32}$",
    )
    status_callback: WebAddress | None = Field(
        default=None,
        title="Address for status reports",
        description="Leave it blank to see them here.",
    )
    validity_seconds: int | None = Field(
        default=None,
        title="Give up after (seconds)",
        description="How long Twilio may hold the message back before it gives up: 1 to 36,000.",
        ge=1,
        le=36_000,
    )
    send_at: AwareDatetime | None = Field(
        default=None,
        title="Send at",
        description="A time with its zone, 5 minutes to 35 days ahead; needs a Messaging Service.",
        examples=["2027-01-31T09:00:00+01:00"],
    )

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if not self.body and not self.media_urls:
            raise InvalidInput("Text is missing. Enter a text or a media address.", field="body")
        if self.from_number and self.messaging_service_sid:
            raise InvalidInput(
                "A Messaging Service chooses the sender itself. Enter one of the two.",
                field="messaging_service_sid",
            )
        if self.send_at is not None:
            self._check_time(self.send_at - now())
        return self

    def _check_time(self, ahead: timedelta) -> None:
        if not self.messaging_service_sid:
            raise InvalidInput(
                "Only a Messaging Service sends at a later time. Enter its SID.", field="send_at"
            )
        if not _SOONEST <= ahead <= _LATEST:
            raise InvalidInput("Send at a time 5 minutes to 35 days from now.", field="send_at")


class SendMessage(Action):
    """Sends an SMS, an MMS or a message of another channel."""

    name = "send_message"
    label = "Send a message"
    help = "Sends an SMS, MMS or WhatsApp message; what becomes of it is reported to this hub."
    effect = "send"
    input = SendMessageInput

    def run(self, given: SendMessageInput, call: ActionCall) -> Any:
        """Queue the message at Twilio and return it with its segments.

        There is no key against doing it twice, so after a lost answer nobody knows.
        """
        answer = TwilioApi(call).create("Messages.json", _pairs(given, call))
        return {**_shown(answer), "segments": _told(count_segments(given.body or ""))}

    def text_input(self, to: str, text: str) -> Mapping[str, Any]:
        """Return a message without media."""
        return {"to": to, "body": text}

    def remark(self, given: Mapping[str, Any]) -> str | None:
        """Say how many segments the text fills."""
        counted = count_segments(str(given.get("body") or ""))
        if not counted.count:
            return None
        noun = "segment" if counted.count == 1 else "segments"
        return (
            f"{counted.count} {noun} ({counted.encoding}): {counted.units} of {counted.room} "
            "characters."
        )


class GetMessageInput(ActionInput):
    """Which message."""

    sid: str = Field(
        title="Message SID",
        description="It begins with SM or MM and stands in the event and in the answer to sending.",
        pattern=r"^(?:SM|MM)[0-9a-fA-F]{32}$",
    )


class GetMessage(Action):
    """Reads one message."""

    name = "get_message"
    label = "Look up a message"
    help = "Asks Twilio for one message: its state, price and error."
    effect = "read"
    input = GetMessageInput

    def run(self, given: GetMessageInput, call: ActionCall) -> Any:
        """Return the message."""
        return _shown(TwilioApi(call).read(f"Messages/{given.sid}.json"))


class ListMessagesInput(ActionInput):
    """Which messages."""

    to: Recipient | None = Field(default=None, title="To", description="Only to this recipient.")
    from_number: Sender | None = Field(
        default=None,
        title="From",
        description="Only from this sender.",
        validation_alias=_SENDER_NAMES,
    )
    sent_on: date | None = Field(
        default=None, title="Sent on", description="Only of this day in UTC."
    )
    sent_after: date | None = Field(
        default=None, title="Sent from", description="Only of this day in UTC or later."
    )
    sent_before: date | None = Field(
        default=None, title="Sent until", description="Only of this day in UTC or earlier."
    )
    page_size: Annotated[int, Field(ge=1, le=200)] = Field(
        default=20, title="How many", description="The newest ones, 1 to 200."
    )


class ListMessages(Action):
    """Lists messages."""

    name = "list_messages"
    label = "List messages"
    help = "Lists the newest messages of the account, sent and received."
    effect = "read"
    input = ListMessagesInput

    def run(self, given: ListMessagesInput, call: ActionCall) -> Any:
        """Return the newest messages, and whether there are more."""
        wanted = {
            "To": given.to,
            "From": given.from_number,
            "DateSent": given.sent_on,
            "DateSent>": given.sent_after,
            "DateSent<": given.sent_before,
            "PageSize": given.page_size,
        }
        params = {name: str(value) for name, value in wanted.items() if value is not None}
        answer = TwilioApi(call).read("Messages.json", params)
        found = answer.get("messages")
        listed = found if isinstance(found, list) else []
        rows = [_shown(each) for each in listed if isinstance(each, dict)]
        return {"messages": rows, "has_more": bool(answer.get("next_page_uri"))}


def _pairs(given: SendMessageInput, call: ActionCall) -> list[tuple[str, str]]:
    pairs = [("To", given.to)]
    if given.messaging_service_sid:
        pairs.append(("MessagingServiceSid", given.messaging_service_sid))
    else:
        pairs.append(("From", _matching_sender(given, call)))
    if given.body:
        pairs.append(("Body", given.body))
    pairs += [("MediaUrl", url) for url in given.media_urls]
    if address := report_address(given.status_callback, call):
        pairs.append(("StatusCallback", address))
    if given.validity_seconds is not None:
        pairs.append(("ValidityPeriod", str(given.validity_seconds)))
    if given.send_at is not None:
        pairs += [("ScheduleType", "fixed"), ("SendAt", given.send_at.isoformat())]
    return pairs


def _matching_sender(given: SendMessageInput, call: ActionCall) -> str:
    sender = own_sender(given.from_number, call)
    if channel_of(sender) != channel_of(given.to):
        raise InvalidInput(
            "Sender and recipient are of different channels. Give both as whatsapp:+…, or both "
            "as plain numbers.",
            field="from_number",
        )
    return sender


def _shown(message: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: message.get(name) for name in _SHOWN}
    if explained := explain_code(message.get("error_code")):
        shown["explanation"] = explained
    return shown


def _told(counted: Segments) -> dict[str, Any]:
    return {
        "count": counted.count,
        "encoding": counted.encoding,
        "units": counted.units,
    }
