"""Placing and looking at calls. https://www.twilio.com/docs/voice/api/call-resource"""

import re
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import AliasChoices, Field, model_validator

from lib.errors import InvalidInput
from lib.providers.actions import Action, ActionCall, ActionInput
from lib.providers.twilio.addresses import Called, Caller, WebAddress
from lib.providers.twilio.api import TwilioApi
from lib.providers.twilio.senders import own_sender, report_address
from lib.providers.twilio.twiml import render, say_reply

_MOST_TWIML = 4000
_DOCUMENT = re.compile(
    r"\s*(?:<\?xml[^>]{0,100}\?>)?\s*<Response(?:\s*/>|>.*</Response>)\s*", re.DOTALL
)
_SHOWN = (
    "sid", "status", "direction", "from", "to", "start_time", "end_time", "duration", "price",
    "price_unit", "answered_by", "date_created",
)  # fmt: skip

StatusEvent = Literal["initiated", "ringing", "answered", "completed"]


class PlaceCallInput(ActionInput):
    """A call to one number, and what it hears."""

    to: Called = Field(
        title="To",
        description="A number with + and country code, or client: or sip: with an address.",
        examples=["+14155550123"],
    )
    say: str | None = Field(
        default=None,
        title="Say",
        description="A text that is read out; in place of TwiML or an address.",
        min_length=1,
        max_length=3000,
        json_schema_extra={"format": "textarea"},
    )
    twiml: str | None = Field(
        default=None,
        title="TwiML",
        description="Instructions as XML in <Response>, up to 4,000 characters.",
        max_length=_MOST_TWIML,
        json_schema_extra={"format": "textarea"},
    )
    url: WebAddress | None = Field(
        default=None, title="TwiML address", description="Where Twilio fetches the instructions."
    )
    from_number: Caller | None = Field(
        default=None,
        title="From",
        description="Leave it blank for the integration's sender.",
        validation_alias=AliasChoices("from_number", "from"),
    )
    timeout_seconds: int | None = Field(
        default=None,
        title="Let it ring (seconds)",
        description="How long until nobody answers: 5 to 600; Twilio's own is 60.",
        ge=5,
        le=600,
    )
    record: bool = Field(
        default=False, title="Record", description="Keep a recording of the call at Twilio."
    )
    machine_detection: Literal["Enable", "DetectMessageEnd"] | None = Field(
        default=None,
        title="Answering machines",
        description="Whether Twilio finds out if a machine answers, and waits for its beep.",
    )
    status_callback: WebAddress | None = Field(
        default=None,
        title="Address for status reports",
        description="Leave it blank to see them here.",
    )
    status_events: list[StatusEvent] = Field(
        default=["initiated", "ringing", "answered", "completed"],
        title="Status reports",
        description="Which steps of the call are reported.",
        max_length=4,
    )

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        given = [name for name in ("say", "twiml", "url") if getattr(self, name)]
        if len(given) != 1:
            raise InvalidInput(
                "A call needs exactly one of a text to say, TwiML, and a TwiML address.",
                field=given[1] if given else "say",
            )
        if self.twiml and not _DOCUMENT.fullmatch(self.twiml):
            raise InvalidInput("TwiML begins with <Response> and ends with it.", field="twiml")
        return self


class PlaceCall(Action):
    """Calls a number."""

    name = "place_call"
    label = "Place a call"
    help = "Calls a number and reads a text out, or follows TwiML."
    effect = "send"
    input = PlaceCallInput

    def run(self, given: PlaceCallInput, call: ActionCall) -> Any:
        """Queue the call at Twilio and return it; see SendMessage about repeating."""
        return _shown(TwilioApi(call).create("Calls.json", _pairs(given, call)))


class GetCallInput(ActionInput):
    """Which call."""

    sid: str = Field(
        title="Call SID",
        description="It begins with CA and stands in the event and in the answer to calling.",
        pattern=r"^CA[0-9a-fA-F]{32}$",
    )


class GetCall(Action):
    """Reads one call."""

    name = "get_call"
    label = "Look up a call"
    help = "Asks Twilio for one call: its state, length and price."
    effect = "read"
    input = GetCallInput

    def run(self, given: GetCallInput, call: ActionCall) -> Any:
        """Return the call."""
        return _shown(TwilioApi(call).read(f"Calls/{given.sid}.json"))


def _pairs(given: PlaceCallInput, call: ActionCall) -> list[tuple[str, str]]:
    pairs = [("To", given.to), ("From", own_sender(given.from_number, call))]
    if given.url:
        pairs.append(("Url", given.url))
    else:
        pairs.append(("Twiml", given.twiml or render(say_reply(given.say or "")).decode()))
    if given.timeout_seconds is not None:
        pairs.append(("Timeout", str(given.timeout_seconds)))
    if given.record:
        pairs.append(("Record", "true"))
    if given.machine_detection:
        pairs.append(("MachineDetection", given.machine_detection))
    if address := report_address(given.status_callback, call):
        pairs.append(("StatusCallback", address))
        pairs += [("StatusCallbackEvent", name) for name in given.status_events]
    return pairs


def _shown(call: Mapping[str, Any]) -> dict[str, Any]:
    return {name: call.get(name) for name in _SHOWN}
