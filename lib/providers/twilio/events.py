"""What a Twilio request is about: its event type, its key, its sentence."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from lib.providers.base import FORM, InboundRequest, ParsedEvent
from lib.providers.digests import digest
from lib.providers.text import clean_text, text_at
from lib.providers.twilio.errors import cause_of
from lib.providers.twilio.signature import signed_content, signed_pairs

Parameters = Mapping[str, str]

# The first parameter that is present decides; callbacks of recordings, conferences and calls
# share CallSid and SequenceNumber, so the order matters.
_TYPE_BY_PARAMETER = {
    "RecordingStatus": "recording.status",
    "TranscriptionSid": "transcription.status",
    "ConferenceSid": "conference.status",
    "CallbackSource": "call.status",
    "SequenceNumber": "call.status",
    "DialCallStatus": "call.dial",
    "Digits": "call.gather",
    "SpeechResult": "call.gather",
    "FinishedOnKey": "call.gather",
}
EVENT_TYPES = (
    "message.inbound",
    "message.status",
    "call.inbound",
    "call.outbound",
    "call.gather",
    "call.recorded",
    "call.dial",
    "call.status",
    "recording.status",
    "transcription.status",
    "conference.status",
)
_RECEIVED = frozenset({"received", "receiving"})
_ENDED = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
_ID_NAMES = ("MessageSid", "SmsSid", "CallSid", "RecordingSid", "ConferenceSid")
# Twilio adds these when it calls the fallback address about the same message or call.
_FALLBACK_NAMES = frozenset({"ErrorCode", "ErrorUrl"})


def parse_request(request: InboundRequest) -> ParsedEvent:
    """Derive the event; equal signed content is one event, whatever the unsigned headers say.

    I-Twilio-Idempotency-Token is outside the signature: who replays a captured request could
    change it. Neither are the ends of names and values, nor the method, so the text that is
    signed counts and not what is read in it. MessageSid and SequenceNumber alone would join
    events that differ.
    """
    carries_form = request.method == "POST" and request.content_type == FORM
    if request.body and not carries_form:
        parameters = _document_parameters(request)
    else:
        parameters = dict(signed_pairs(request))
    event_type = event_type_of(parameters)
    is_fallback = not event_type.endswith(".status") and _is_fallback(request, parameters)
    content = signed_content(request, without=_FALLBACK_NAMES if is_fallback else frozenset())
    return ParsedEvent(event_type, digest(content), _external_id(parameters))


def event_type_of(parameters: Parameters) -> str:
    """Return one of EVENT_TYPES, or "unknown"."""
    if "MessageSid" in parameters or "SmsSid" in parameters:
        return _message_type(parameters)
    for name, event_type in _TYPE_BY_PARAMETER.items():
        if name in parameters:
            return event_type
    return _call_type(parameters) if "CallSid" in parameters else "unknown"


def describe(event_type: str, payload: Any) -> str:
    """Return one sentence about a payload of any shape."""
    return _SENTENCES.get(event_type, _describe_unknown)(payload)


def _document_parameters(request: InboundRequest) -> Parameters:
    body = request.json
    if not isinstance(body, dict):
        return {}
    return {name: value for name, value in body.items() if isinstance(value, str)}


def _is_fallback(request: InboundRequest, parameters: Parameters) -> bool:
    """Tell whether the same was sent to this very address before.

    Who writes a message may write these names into it, but does not know the address.
    """
    try:
        failed = urlsplit(parameters.get("ErrorUrl", ""))
    except ValueError:
        return False
    return failed.path == urlsplit(request.url).path


def _external_id(parameters: Parameters) -> str | None:
    return next((found for name in _ID_NAMES if (found := clean_text(parameters.get(name)))), None)


def _message_type(parameters: Parameters) -> str:
    status = parameters.get("MessageStatus") or parameters.get("SmsStatus")
    if status in _RECEIVED or (status is None and "Body" in parameters):
        return "message.inbound"
    return "message.status" if status else "unknown"


def _call_type(parameters: Parameters) -> str:
    """Tell a question about what to do on a call from news about it.

    Twilio fetches instructions for its own outbound calls too, with CallStatus in-progress;
    an empty answer would end that call.
    """
    if parameters.get("msg") == "Gather End":
        return "call.gather"
    status = parameters.get("CallStatus")
    if status is None:
        return "unknown"
    if status in _ENDED:
        return "call.status"
    if parameters.get("Direction", "inbound").startswith("outbound"):
        return "call.outbound" if status == "in-progress" else "call.status"
    # The end of a Record asks what to do next, at the address that began it.
    return "call.recorded" if "RecordingUrl" in parameters else "call.inbound"


def _message_inbound(payload: Any) -> str:
    sender = text_at(payload, "From")
    channel, colon, address = sender.partition(":")
    kind = channel.capitalize().replace("Whatsapp", "WhatsApp") if colon else "SMS"
    if not colon and text_at(payload, "NumMedia") not in ("", "0"):
        kind = "MMS"
    body = text_at(payload, "Body") or "(no text)"
    return f"{kind} from {address or sender or 'an unknown sender'}: {body}"


def _message_status(payload: Any) -> str:
    status = text_at(payload, "MessageStatus", "SmsStatus") or "unknown"
    code = text_at(payload, "ErrorCode")
    said = f"Message to {_party(payload, 'To')} is {status}"
    if not code:
        return said
    cause = cause_of(code)
    return f"{said} (error {code}): {cause}" if cause else f"{said} (error {code})"


def _call_inbound(payload: Any) -> str:
    return f"Call from {_party(payload, 'From')} to {_party(payload, 'To')}"


def _call_status(payload: Any) -> str:
    return f"{_call_inbound(payload)} is {text_at(payload, 'CallStatus') or 'unknown'}"


def _call_gather(payload: Any) -> str:
    said = text_at(payload, "Digits", "SpeechResult") or "nothing"
    return f"Caller {_party(payload, 'From')} entered {said}"


def _call_recorded(payload: Any) -> str:
    return f"Caller {_party(payload, 'From')} left a recording"


def _status_of(noun: str, *names: str) -> Callable[[Any], str]:
    def describe_status(payload: Any) -> str:
        return f"{noun}: {text_at(payload, *names) or 'unknown'}"

    return describe_status


def _party(payload: Any, name: str) -> str:
    return text_at(payload, name).removeprefix("whatsapp:") or "an unknown number"


def _describe_unknown(payload: Any) -> str:
    sid = text_at(payload, *_ID_NAMES)
    return f"Twilio event about {sid}" if sid else "Twilio event of an unknown kind"


_SENTENCES: dict[str, Callable[[Any], str]] = {
    "message.inbound": _message_inbound,
    "message.status": _message_status,
    "call.inbound": _call_inbound,
    "call.outbound": _call_inbound,
    "call.gather": _call_gather,
    "call.recorded": _call_recorded,
    "call.dial": _status_of("Dialled call", "DialCallStatus"),
    "call.status": _call_status,
    "recording.status": _status_of("Recording", "RecordingStatus"),
    "transcription.status": _status_of("Transcription", "TranscriptionStatus"),
    "conference.status": _status_of("Conference", "StatusCallbackEvent"),
}
