"""What Twilio takes as sender and recipient: numbers, short codes, channel addresses."""

import re
from typing import Annotated

from pydantic import AfterValidator

E164 = r"\+[1-9][0-9]{1,14}"
_SHORT_CODE = r"[0-9]{5,6}"
_WHATSAPP = rf"whatsapp:{E164}"
_CHANNEL = r"messenger:[!-~]{1,200}"
_VOICE_CHANNEL = r"(?:client|sip):[!-~]{1,200}"
# https://www.twilio.com/docs/glossary/what-alphanumeric-sender-id
_ALPHANUMERIC = r"(?=.*[A-Za-z])[A-Za-z0-9 +_&-]{1,11}"
# Messages and calls share the sender of the integration's settings.
ANY_SENDER = "|".join((E164, _SHORT_CODE, _WHATSAPP, _CHANNEL, _VOICE_CHANNEL, _ALPHANUMERIC))

_RECIPIENT = re.compile("|".join((E164, _SHORT_CODE, _WHATSAPP, _CHANNEL)))
_SENDER = re.compile("|".join((E164, _SHORT_CODE, _WHATSAPP, _CHANNEL, _ALPHANUMERIC)))
_CALLED = re.compile("|".join((E164, _VOICE_CHANNEL)))
_CALLER = re.compile("|".join((E164, _VOICE_CHANNEL)))


def _check_recipient(text: str) -> str:
    if not _RECIPIENT.fullmatch(text):
        raise ValueError("Enter it with + and country code, such as +14155550123")
    return text


def _check_sender(text: str) -> str:
    if not _SENDER.fullmatch(text):
        raise ValueError(
            "Enter a number with + and country code, a short code, or a name of up to 11 letters"
        )
    return text


def _check_called(text: str) -> str:
    if not _CALLED.fullmatch(text):
        raise ValueError(
            "Enter a number with + and country code, such as +14155550123, or client:, or sip:"
        )
    return text


def _check_caller(text: str) -> str:
    if not _CALLER.fullmatch(text):
        raise ValueError("Enter a number of the account with + and country code")
    return text


def _check_url(text: str) -> str:
    if not re.fullmatch(r"https?://[!-~]{3,1990}", text):
        raise ValueError("Enter a full address that begins with https://")
    return text


Recipient = Annotated[str, AfterValidator(_check_recipient)]
Sender = Annotated[str, AfterValidator(_check_sender)]
Called = Annotated[str, AfterValidator(_check_called)]
Caller = Annotated[str, AfterValidator(_check_caller)]
WebAddress = Annotated[str, AfterValidator(_check_url)]


def channel_of(address: str) -> str:
    """Return the channel of an address, such as whatsapp; empty for a plain number."""
    return address.partition(":")[0] if ":" in address else ""
