"""What analysts see in place of personal data.

An allow-list decides: a text is shown only under a key that is known to hold no person.
"""

from typing import Any

HIDDEN = "•••"
_SHOWN_KEYS = frozenset(
    {
        "type",
        "status",
        "Direction",
        "direction",
        "MessageStatus",
        "SmsStatus",
        "CallStatus",
        "ErrorCode",
        "NumMedia",
        "NumSegments",
        "ApiVersion",
        "SequenceNumber",
        "timestamp",
        "dateAdded",
        "messageType",
        "appointmentStatus",
        "event_type",
    }
)
# A longer number can be a phone number or an account.
_LARGEST_SHOWN = 99_999


def mask_payload(value: Any, *, key: str = "") -> Any:
    """Return `value` in the same shape with every text and long number hidden."""
    if isinstance(value, dict):
        return {name: mask_payload(item, key=name) for name, item in value.items()}
    if isinstance(value, list):
        return [mask_payload(item, key=key) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if abs(value) <= _LARGEST_SHOWN else HIDDEN
    return value if key in _SHOWN_KEYS and len(value) <= 40 else HIDDEN
