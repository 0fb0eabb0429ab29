"""A small business's day in invented events. Numbers and addresses belong to nobody."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

TWILIO_ACCOUNT = "ACdede0000000000000000000000000001"
LOCATION = "demoLocation00000001"
HUB_NUMBER = "+15005550006"
_PEOPLE = (
    ("Ada", "Byron"), ("Grace", "Hopper"), ("Alan", "Mathison"), ("Katherine", "Johnson"),
    ("Edsger", "Dijkstra"), ("Barbara", "Liskov"), ("Donald", "Ervin"), ("Radia", "Perlman"),
)  # fmt: skip
_MESSAGES = (
    "Can I move my appointment to Friday?", "Yes, confirmed!", "What are your opening hours?",
    "STOP", "Thanks, see you at nine", "Is the evening class full?", "Please call me back",
)  # fmt: skip
_STATUSES = ("sent", "delivered", "delivered", "delivered", "undelivered")


@dataclass(frozen=True)
class Happening:
    """One event: which integration it goes to, and its fields."""

    service_name: str
    fields: dict[str, str] = field(default_factory=dict)
    is_forged: bool = False


def happenings(moment: datetime, dice: random.Random) -> Iterator[Happening]:
    """Yield what happens in the quarter of an hour from `moment` on: more by day."""
    is_day = 7 <= moment.hour <= 20
    for _ in range(dice.randint(1, 4) if is_day else dice.randint(0, 1)):
        yield dice.choice(_KINDS)(moment, dice)
    if dice.random() < 0.04:
        yield Happening("twilio", _message(moment, dice), is_forged=True)


def _inbound_message(moment: datetime, dice: random.Random) -> Happening:
    return Happening("twilio", _message(moment, dice))


def _message(_moment: datetime, dice: random.Random) -> dict[str, str]:
    sid = _hex(dice, "SM")
    return {
        "MessageSid": sid,
        "SmsSid": sid,
        "SmsMessageSid": sid,
        "AccountSid": TWILIO_ACCOUNT,
        "From": _phone(dice),
        "To": HUB_NUMBER,
        "Body": dice.choice(_MESSAGES),
        "SmsStatus": "received",
        "NumMedia": "0",
        "NumSegments": "1",
        "FromCountry": "US",
        "ApiVersion": "2010-04-01",
    }


def _message_status(_moment: datetime, dice: random.Random) -> Happening:
    sid, status = _hex(dice, "SM"), dice.choice(_STATUSES)
    fields = {
        "MessageSid": sid,
        "SmsSid": sid,
        "AccountSid": TWILIO_ACCOUNT,
        "From": HUB_NUMBER,
        "To": _phone(dice),
        "MessageStatus": status,
        "SmsStatus": status,
        "ApiVersion": "2010-04-01",
    }
    return Happening("twilio", fields | ({"ErrorCode": "30003"} if status == "undelivered" else {}))


def _inbound_call(_moment: datetime, dice: random.Random) -> Happening:
    caller = _phone(dice)
    fields = {
        "CallSid": _hex(dice, "CA"),
        "AccountSid": TWILIO_ACCOUNT,
        "From": caller,
        "Caller": caller,
        "To": HUB_NUMBER,
        "Called": HUB_NUMBER,
        "CallStatus": "ringing",
        "Direction": "inbound",
        "ApiVersion": "2010-04-01",
    }
    return Happening("twilio", fields)


def _contact(moment: datetime, dice: random.Random) -> Happening:
    first, last = dice.choice(_PEOPLE)
    fields = {
        "type": dice.choice(("ContactCreate", "ContactCreate", "ContactTagUpdate")),
        "locationId": LOCATION,
        "id": _hex(dice, "con")[:20],
        "firstName": first,
        "lastName": last,
        "email": f"{first}.{last}@example.com".lower(),
        "phone": _phone(dice),
        "source": "demo data",
    }
    return Happening("gohighlevel", fields | _envelope(moment, dice))


def _appointment(moment: datetime, dice: random.Random) -> Happening:
    fields = {
        "type": "OpportunityStatusUpdate",
        "locationId": LOCATION,
        "id": _hex(dice, "opp")[:20],
        "contactId": _hex(dice, "con")[:20],
        "name": "Evening class (demo data)",
        "status": dice.choice(("open", "won", "lost")),
    }
    return Happening("gohighlevel", fields | _envelope(moment, dice))


def _scenario(moment: datetime, dice: random.Random) -> Happening:
    first, last = dice.choice(_PEOPLE)
    fields = {
        "type": dice.choice(("order.created", "form.submitted")),
        "reference": _hex(dice, "ord")[:12],
        "email": f"{first}.{last}@example.com".lower(),
        "note": "demo data",
        "timestamp": moment.isoformat(),
    }
    return Happening(dice.choice(("make", "make", "zapier")), fields)


def _envelope(moment: datetime, dice: random.Random) -> dict[str, str]:
    return {"timestamp": moment.isoformat(), "webhookId": _hex(dice, "wh")}


def _phone(dice: random.Random) -> str:
    # 555-01XX numbers are set aside for fiction.
    return f"+1415555{dice.randint(100, 199):04d}"


def _hex(dice: random.Random, prefix: str) -> str:
    return f"{prefix}{dice.getrandbits(128):032x}"


_KINDS = (
    _inbound_message,
    _message_status,
    _message_status,
    _inbound_call,
    _contact,
    _appointment,
    _scenario,
)
