"""How far a message or call has come, as a status callback reports it.

Reports arrive in any order and more than once:
https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
"""

from typing import Any

from lib.providers.reports import Journey, StateReport, Turn
from lib.providers.text import text_at

_MESSAGE_RANKS = {
    "accepted": 0,
    "scheduled": 1,
    "queued": 2,
    "sending": 3,
    "sent": 4,
    "delivered": 5,
    "undelivered": 5,
    "failed": 5,
    "canceled": 5,
    "partially_delivered": 5,
    "read": 6,
}
_CALL_RANKS = {
    "queued": 0,
    "initiated": 1,
    "ringing": 2,
    "in-progress": 3,
    "completed": 4,
    "busy": 4,
    "failed": 4,
    "no-answer": 4,
    "canceled": 4,
}
_MOST_DIGITS = 6
_NEVER_SENT = frozenset({"undelivered", "failed", "canceled"})
_ARRIVED = "delivered"
JOURNEYS = (
    Journey(
        kind="message",
        label="Messages",
        stages=("queued", "sent", "delivered"),
        passed={"sent": 2, "undelivered": 2, "delivered": 3, "partially_delivered": 3, "read": 3},
        failed=_NEVER_SENT,
    ),
    Journey(
        kind="call",
        label="Calls",
        stages=("initiated", "ringing", "answered"),
        passed={"ringing": 2, "busy": 2, "no-answer": 2, "in-progress": 3, "completed": 3},
        failed=frozenset({"busy", "no-answer", "failed", "canceled"}),
    ),
)


def read_report(event_type: str, payload: Any) -> StateReport | None:
    """Return what a status callback reports; None for other events and unknown states."""
    if event_type == "message.status":
        sid, state = text_at(payload, "MessageSid", "SmsSid"), _message_state(payload)
        rank = _MESSAGE_RANKS.get(state)
        kind, sequence = "message", None
    elif event_type == "call.status":
        sid, state = text_at(payload, "CallSid"), text_at(payload, "CallStatus")
        rank = _CALL_RANKS.get(state)
        kind, sequence = "call", _sequence(text_at(payload, "SequenceNumber"))
    else:
        return None
    if not sid or rank is None:
        return None
    code = text_at(payload, "ErrorCode") or None
    is_arrival = kind == "message" and state == _ARRIVED
    return StateReport(sid, kind, state, rank, sequence, code, is_arrival)


def read_turn(event_type: str, payload: Any) -> Turn | None:
    """Return who wrote, or who is written to by a message that a callback tells of."""
    if event_type == "message.inbound":
        contact = text_at(payload, "From")
        return Turn(contact, is_ours=False) if contact else None
    if event_type != "message.status" or _message_state(payload) in _NEVER_SENT:
        return None
    contact = text_at(payload, "To")
    return Turn(contact, is_ours=True) if contact else None


def _message_state(payload: Any) -> str:
    """Return the state; WhatsApp says "read" in EventType beside a status of delivered."""
    if text_at(payload, "EventType").lower() == "read":
        return "read"
    return text_at(payload, "MessageStatus", "SmsStatus")


def _sequence(text: str) -> int | None:
    is_number = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
    return int(text) if is_number else None
