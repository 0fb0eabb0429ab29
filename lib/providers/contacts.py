"""Finds people in payloads: phones in E.164, e-mail addresses, contact ids, SIDs.

phonenumbers is imported on first use: the receiver loads providers but never looks for keys.
"""

import re
from collections.abc import Iterator
from typing import Any

from lib.providers.text import clean_text

Key = tuple[str, str]
_MAX_NODES = 2000
_LONGEST = 320
_CHANNEL = re.compile(r"(?:whatsapp|rcs|sms|tel):", re.IGNORECASE)
_EMAIL = re.compile(r"[^\s<>@,;\"()]{1,64}@[^\s<>@,;\"()]{1,190}\.[^\s<>@,;\"()]{2,63}")
_SID = re.compile(r"[A-Z]{2}[0-9A-Za-z]{4,62}")
_PHONE_NAMES = frozenset(
    (
        "phone",
        "phonenumber",
        "phoneno",
        "mobile",
        "mobilephone",
        "from",
        "to",
        "caller",
        "called",
        "forwardedfrom",
        "fromnumber",
        "tonumber",
        "waid",
    )
)
_CONTACT_NAMES = frozenset({"contactid"})
# The owner's own account is in every event and finds nothing.
_IGNORED_NAMES = frozenset({"accountsid", "apiversion"})


def to_e164(text: str) -> str | None:
    """Return an international number as +digits, or None; a channel prefix is dropped."""
    import phonenumbers

    number = _CHANNEL.sub("", text.strip(), count=1)
    if not number.startswith("+") or len(number) > 40:
        return None
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def collect_keys(payload: Any) -> set[Key]:
    """Return the (kind, value) pairs of every recognised field, nested ones included."""
    keys: set[Key] = set()
    for name, text in _walk(payload):
        keys.update(_keys_of(name, text))
    return keys


def contacts_in(name: str, text: str) -> set[str]:
    """Return the persons' numbers, addresses and ids that a field of that name holds."""
    cleaned = clean_text(text, _LONGEST)
    return {value for kind, value in _keys_of(name, cleaned) if kind != "sid"} if cleaned else set()


def _keys_of(name: str, text: str) -> Iterator[Key]:
    plain = name.replace("_", "").replace("-", "").lower()
    if plain in _IGNORED_NAMES:
        return
    if plain in _PHONE_NAMES:
        number = to_e164(f"+{text}" if plain == "waid" else text)
        if number is not None:
            yield "phone", number
    if "email" in plain or plain in _PHONE_NAMES:
        for address in _EMAIL.findall(text):
            yield "email", address.lower()
    if plain in _CONTACT_NAMES:
        yield "contact_id", text
    if plain.endswith("sid") and _SID.fullmatch(text):
        yield "sid", text


def _walk(payload: Any) -> Iterator[tuple[str, str]]:
    """Yield (field name, text); a list's items bear the list's name. Bounded, not recursive."""
    waiting: list[tuple[str, Any]] = [("", payload)]
    for _ in range(_MAX_NODES):
        if not waiting:
            return
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend((str(key), item) for key, item in value.items())
        elif isinstance(value, list):
            waiting.extend((name, item) for item in value)
        elif text := clean_text(value, _LONGEST):
            yield name, text
