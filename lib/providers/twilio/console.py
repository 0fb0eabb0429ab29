"""Where the Twilio Console shows a message or a call, and which side of it is the account's."""

import re
from typing import Any

from lib.providers.contacts import Key, collect_keys
from lib.providers.fields import Values
from lib.providers.text import text_at

_SID = re.compile(r"(?:SM|MM|CA)[0-9a-f]{32}")
_CONSOLE = "https://console.twilio.com/us1/monitor/logs"
_OWN_REGION = "us1"


def message_or_call_page(payload: Any, values: Values) -> str | None:
    """Return the page of the message or call; None without a SID, and for other regions.

    The Console's addresses are known for the region us1 alone.
    """
    if (values.get("region") or _OWN_REGION) != _OWN_REGION:
        return None
    sid = text_at(payload, "MessageSid", "SmsSid", "CallSid")
    if not _SID.fullmatch(sid):
        return None
    return f"{_CONSOLE}/{'calls' if sid.startswith('CA') else 'sms'}/{sid}"


def own_numbers(event_type: str, payload: Any) -> set[Key]:
    """Return the account's own number: the called one, or the sender of what went out."""
    is_outgoing = event_type == "message.status" or text_at(payload, "Direction").startswith("out")
    return collect_keys({"from": text_at(payload, "From" if is_outgoing else "To")})
