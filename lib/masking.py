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
# The first that a person has names them, so that services which know the number agree.
_CONTACT_FIELDS = ("phone", "email", "contactId", "contact_id")
_PERSON_FIELDS = frozenset({"name", "full_name", "fullName", "firstName", "first_name"})
# A longer number can be a phone number or an account.
_LARGEST_SHOWN = 99_999


def mask_payload(value: Any, *, key: str = "", names: Pseudonyms | None = None) -> Any:
    """Return `value` in the same shape with every text and long number hidden.

    With `names`, a field that holds a contact and nothing else shows the contact's name.
    """
    if isinstance(value, dict):
        masked = {each: mask_payload(item, key=each, names=names) for each, item in value.items()}
        return _with_person(value, masked, names) if names else masked
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


def _with_person(
    value: dict[Any, Any], masked: dict[Any, Any], names: Pseudonyms
) -> dict[Any, Any]:
    """Put the contact's name where the person's stood beside the number or the address."""
    for field in _CONTACT_FIELDS:
        text = value.get(field)
        contacts = contacts_in(field, text) if isinstance(text, str) else set()
        if len(contacts) == 1:
            person = names.name(*contacts)
            return {
                each: person if each in _PERSON_FIELDS and item == HIDDEN else item
                for each, item in masked.items()
            }
    return masked


def mask_key(kind: str, value: str, names: Pseudonyms | None) -> str:
    """Return what an event is found by: itself, or with `names` a contact's name or nothing."""
    if names is None:
        return value
    return names.name(value) if kind in _CONTACT_KINDS else HIDDEN
