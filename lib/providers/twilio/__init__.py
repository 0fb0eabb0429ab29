"""Twilio: SMS, WhatsApp and voice events, signed with the account's Auth Token."""

from collections.abc import Mapping
from typing import Any

from lib.errors import InvalidInput, MalformedRequest
from lib.http import VendorClient
from lib.providers.base import (
    Answer,
    CheckResult,
    InboundRequest,
    ParsedEvent,
    Provider,
    Verification,
)
from lib.providers.contacts import Key, collect_keys
from lib.providers.diagnosis import Circumstances, Diagnosis
from lib.providers.fields import Values
from lib.providers.reports import StateReport, Turn
from lib.providers.sending import Signed, Unsigned
from lib.providers.twilio.actions import ACTIONS
from lib.providers.twilio.check import check_account
from lib.providers.twilio.console import message_or_call_page, own_numbers
from lib.providers.twilio.doctor import diagnose_request
from lib.providers.twilio.errors import CODES
from lib.providers.twilio.events import EVENT_TYPES, describe, parse_request
from lib.providers.twilio.fields import FIELDS, PAIRED_FIELDS, REPLY_FIELDS
from lib.providers.twilio.sending import sign_request
from lib.providers.twilio.signature import signed_pairs, verify_request
from lib.providers.twilio.states import JOURNEYS, read_report, read_turn
from lib.providers.twilio.twiml import read_reply, render_reply
from lib.settings import Settings

__all__ = ["Twilio"]

# Text in another type than XML would be sent to the member as a reply SMS.
# https://www.twilio.com/docs/messaging/twiml
_XML = "text/xml"
# Three tries again, after a failed connection, no answer in time, or an error of ours.
_RETRIES = "#rc=3&rp=ct,rt,5xx"
_NO_REPLY = Answer(200, b'<?xml version="1.0" encoding="UTF-8"?><Response/>', _XML)
# Only the first question of a call or message is answered by the member's reply: the end of a
# Gather or Record asks at the same address, and the same reply would go on for ever.
_REPLY_TO = {"call.inbound": "voice_reply", "message.inbound": "message_reply"}
_NOTED = Answer(204)


class Twilio(Provider):
    """Messages, calls and their status callbacks of one Twilio account."""

    slug = "twilio"
    label = "Twilio"
    fields = FIELDS
    actions = ACTIONS
    codes = CODES
    signature_note = "Twilio signs every request with the account's primary Auth Token."
    signing_field = "auth_token"
    event_types = EVENT_TYPES
    journeys = JOURNEYS
    methods = frozenset({"POST", "GET"})
    refused_status = 403
    unavailable_status = 503

    def verify(self, request: InboundRequest, values: Values, settings: Settings) -> Verification:
        """Check X-Twilio-Signature, the hash of other bodies than forms, and the account."""
        return verify_request(request, values)

    def sign_sample(self, unsigned: Unsigned, values: Values) -> Signed:
        """Sign with the Auth Token, or with the SharedKey where one is set."""
        return sign_request(unsigned, values)

    def diagnose(self, request: InboundRequest, values: Values, case: Circumstances) -> Diagnosis:
        """Try other secrets, other addresses and other bodies, alone and in pairs."""
        return diagnose_request(request, values, case)

    def parse(self, request: InboundRequest) -> ParsedEvent:
        """Tell messages, calls and callbacks apart by their parameters."""
        return parse_request(request)

    def check(self, values: Values, settings: Settings, client: VendorClient) -> CheckResult:
        """Read the account, then try the API key."""
        return check_account(values, settings.twilio_api_url, client=client)

    def summarize(self, event_type: str, payload: Any) -> str:
        """Return a sentence such as "SMS from +14155550123: Hello"."""
        return describe(event_type, payload)

    def extract_keys(self, payload: Any) -> set[Key]:
        """Return the parties' numbers and the SIDs of messages, calls and recordings."""
        return collect_keys(payload)

    def addresses(self, url: str) -> Mapping[str, str]:
        """Return the primary address with its retries, and the fallback without.

        Without the ending Twilio tries again only after a failed connection.
        https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
        """
        return {
            "A message comes in, a call comes in, status callbacks": f"{url}{_RETRIES}",
            "Primary handler fails, Fallback URL": url,
        }

    def validate(self, values: Values, settings: Settings) -> dict[str, str]:
        """Check each field, and that ids come with their secrets."""
        clean = super().validate(values, settings)
        for first, second in PAIRED_FIELDS:
            for present, missing in ((first, second), (second, first)):
                if present in clean and missing not in clean:
                    raise InvalidInput(
                        f"{_label(missing)} is missing. Enter it together with {_label(present)}, "
                        "or clear both.",
                        field=missing,
                    )
        for field in REPLY_FIELDS:
            if field in clean:
                read_reply(field, clean[field])
        return clean

    def account_key(self, values: Values) -> str | None:
        """Return the Account SID."""
        return values.get("account_sid")

    def stated_accounts(self, request: InboundRequest) -> tuple[str, ...]:
        """Return the AccountSid of the form or the query."""
        try:
            pairs = signed_pairs(request)
        except MalformedRequest:
            return ()
        return tuple(dict.fromkeys(value for name, value in pairs if name == "AccountSid"))

    def report(self, event_type: str, payload: Any) -> StateReport | None:
        """Return how far a message or call has come, from its status callback."""
        return read_report(event_type, payload)

    def turn(self, event_type: str, payload: Any) -> Turn | None:
        """Return who wrote a message, or whom one is for."""
        return read_turn(event_type, payload)

    def console_url(self, payload: Any, values: Values) -> str | None:
        """Return the message's or the call's page in the Console's logs."""
        return message_or_call_page(payload, values)

    def own_keys(self, event_type: str, payload: Any) -> set[Key]:
        """Return the account's side of a message or call."""
        return own_numbers(event_type, payload)

    def previews(self, values: Values) -> dict[str, str]:
        """Return the TwiML of the replies that were entered."""
        return {
            _label(field): render_reply(field, values[field]).decode()
            for field in REPLY_FIELDS
            if values.get(field)
        }

    def answer(self, event_id: str, parsed: ParsedEvent, values: Values) -> Answer:
        """Return the member's reply, or empty TwiML, and nothing to status callbacks."""
        if parsed.event_type.endswith(".status"):
            return _NOTED
        field = _REPLY_TO.get(parsed.event_type)
        text = values.get(field) if field else None
        return _reply(field, text) if field and text else _NO_REPLY


def _reply(field: str, text: str) -> Answer:
    """Return the stored reply; one that is no longer right must not keep the event out."""
    try:
        return Answer(200, render_reply(field, text), _XML)
    except InvalidInput:
        return _NO_REPLY


def _label(name: str) -> str:
    return next(item.label for item in FIELDS if item.name == name)
