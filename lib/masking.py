"""What analysts see in place of personal data.

An allow-list decides: a text is shown only under a key that is known to hold no person. A
contact's number, address or id is shown as a name that is the same everywhere and leads to nobody.
"""

from typing import Any

from lib.providers.contacts import contacts_in
from lib.pseudonyms import Pseudonyms

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
_CONTACT_KINDS = frozenset({"phone", "email", "contact_id"})
# A longer number can be a phone number or an account.
_LARGEST_SHOWN = 99_999


def mask_payload(value: Any, *, key: str = "", names: Pseudonyms | None = None) -> Any:
    """Return `value` in the same shape with every text and long number hidden.

    With `names`, a field that holds a contact and nothing else shows the contact's name.
    """
    if isinstance(value, dict):
        return {each: mask_payload(item, key=each, names=names) for each, item in value.items()}
    if isinstance(value, list):
        return [mask_payload(item, key=key, names=names) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if abs(value) <= _LARGEST_SHOWN else HIDDEN
    if key in _SHOWN_KEYS and len(value) <= 40:
        return value
    contacts = contacts_in(str(key), value) if names else frozenset()
    return names.name(*contacts) if names and len(contacts) == 1 else HIDDEN


def mask_key(kind: str, value: str, names: Pseudonyms | None) -> str:
    """Return what an event is found by: itself, or with `names` a contact's name or nothing."""
    if names is None:
        return value
    return names.name(value) if kind in _CONTACT_KINDS else HIDDEN
