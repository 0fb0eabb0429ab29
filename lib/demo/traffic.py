"""A small business's day in invented events. Numbers and addresses belong to nobody."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

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
# How messages end, by how often, with Twilio's code.
_ENDS = (
    (80, "delivered", None), (9, "undelivered", "30003"), (4, "undelivered", "30007"),
    (3, "failed", "30006"),
)  # fmt: skip
_REPLY_SHARE = 0.45


@dataclass(frozen=True)
class Happening:
    """One event: which integration it goes to, its fields, and how late in the quarter it comes."""

    service_name: str
    fields: dict[str, str] = field(default_factory=dict)
    is_forged: bool = False
    after: timedelta = timedelta(0)


def happenings(moment: datetime, dice: random.Random) -> Iterator[Happening]:
    """Yield what happens in the quarter of an hour from `moment` on: more by day."""
    is_day = 7 <= moment.hour <= 20
    for _ in range(dice.randint(1, 4) if is_day else dice.randint(0, 1)):
        yield from dice.choice(_KINDS)(moment, dice)
    if dice.random() < 0.04:
        yield Happening("twilio", _message(moment, dice), is_forged=True)


def _inbound_message(moment: datetime, dice: random.Random) -> Iterator[Happening]:
    yield Happening("twilio", _message(moment, dice))


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


def _outbound_message(moment: datetime, dice: random.Random) -> Iterator[Happening]:
    """Yield the reports of one message, and often the contact's answer."""
    sid, contact = _hex(dice, "SM"), _phone(dice)
    (end,) = dice.choices(_ENDS, [share for share, _, _ in _ENDS])
    _, state, code = end
    seconds = min(dice.lognormvariate(2.0, 0.9), 300)
    yield _report(sid, contact, "queued")
    yield _report(sid, contact, "sent", after=dice.uniform(0.5, 2))
    yield _report(sid, contact, state, code=code, after=2 + seconds)
    if state == "delivered" and dice.random() < _REPLY_SHARE:
        wait = timedelta(seconds=min(310 + dice.lognormvariate(4.5, 1.2), 880))
        fields = {**_message(moment, dice), "From": contact}
        yield Happening("twilio", fields, after=wait)


def _report(
    sid: str, contact: str, state: str, *, code: str | None = None, after: float = 0
) -> Happening:
    fields = {
        "MessageSid": sid,
        "SmsSid": sid,
        "AccountSid": TWILIO_ACCOUNT,
        "From": HUB_NUMBER,
        "To": contact,
        "MessageStatus": state,
        "SmsStatus": state,
        "ApiVersion": "2010-04-01",
    }
    more = {"ErrorCode": code} if code else {}
    return Happening("twilio", fields | more, after=timedelta(seconds=after))


def _inbound_call(_moment: datetime, dice: random.Random) -> Iterator[Happening]:
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
    yield Happening("twilio", fields)


def _contact(moment: datetime, dice: random.Random) -> Iterator[Happening]:
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
    yield Happening("gohighlevel", fields | _envelope(moment, dice))


def _appointment(moment: datetime, dice: random.Random) -> Iterator[Happening]:
    fields = {
        "type": "OpportunityStatusUpdate",
        "locationId": LOCATION,
        "id": _hex(dice, "opp")[:20],
        "contactId": _hex(dice, "con")[:20],
        "name": "Evening class (demo data)",
        "status": dice.choice(("open", "won", "lost")),
    }
    yield Happening("gohighlevel", fields | _envelope(moment, dice))


def _scenario(moment: datetime, dice: random.Random) -> Iterator[Happening]:
    first, last = dice.choice(_PEOPLE)
    fields = {
        "type": dice.choice(("order.created", "form.submitted")),
        "reference": _hex(dice, "ord")[:12],
        "email": f"{first}.{last}@example.com".lower(),
        "note": "demo data",
        "timestamp": moment.isoformat(),
    }
    yield Happening(dice.choice(("make", "make", "zapier")), fields)


def _envelope(moment: datetime, dice: random.Random) -> dict[str, str]:
    return {"timestamp": moment.isoformat(), "webhookId": _hex(dice, "wh")}


def _phone(dice: random.Random) -> str:
    # 555-01XX numbers are set aside for fiction.
    return f"+1415555{dice.randint(100, 199):04d}"


def _hex(dice: random.Random, prefix: str) -> str:
    return f"{prefix}{dice.getrandbits(128):032x}"


_KINDS = (
    _inbound_message,
    _outbound_message,
    _outbound_message,
    _inbound_call,
    _contact,
    _appointment,
    _scenario,
)
