"""What a HighLevel request is about: its event type, its key, its sentence, its people."""

import re
from typing import Any

from lib.errors import MalformedRequest
from lib.providers import header_secret
from lib.providers.base import FORM, InboundRequest, ParsedEvent, read_payload
from lib.providers.contacts import Key, collect_keys
from lib.providers.digests import digest
from lib.providers.fields import Values
from lib.providers.gohighlevel.signature import is_platform_signed
from lib.providers.reports import Turn
from lib.providers.text import clean_text, stable_key, text_at

WORKFLOW = "workflow"
_MESSAGES = ("InboundMessage", "OutboundMessage")
_SPOKEN = frozenset({"CALL", "VOICEMAIL"})
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)


def parse_request(request: InboundRequest) -> ParsedEvent:
    """Derive the event; webhookId is the key, and bodies without it are keyed by content.

    Workflow actions give neither id nor time, so equal bodies count once within a minute.
    """
    is_signed = is_platform_signed(request)
    body = _read_body(request, is_signed=is_signed)
    event_type = clean_text(body.get("type"))
    if event_type is None:
        is_workflow = not is_signed and "workflow" in body
        event_type = WORKFLOW if is_workflow else "unknown"
    content_key = digest(request.body) if is_signed else header_secret.windowed_key(request.body)
    key = stable_key(body.get("webhookId")) or content_key
    ids = ("webhookId", "messageId", "id", "_id")
    external_id = next((found for name in ids if (found := clean_text(body.get(name)))), None)
    return ParsedEvent(event_type, key, external_id)


def describe(event_type: str, payload: Any) -> str:
    """Return one sentence about a payload of any shape."""
    about = _about(payload)
    if event_type == WORKFLOW:
        workflow = payload.get("workflow") if isinstance(payload, dict) else None
        name = text_at(workflow, "name") or "a workflow"
        return f"Workflow {name} ran" + (f" for {about}" if about else "")
    if event_type in _MESSAGES:
        inbound = _is_inbound(event_type, payload)
        kind = text_at(payload, "messageType") or "Message"
        text = text_at(payload, "subject", "body", "status") or "(no text)"
        return f"{kind} {'from' if inbound else 'to'} a contact: {text}"
    kind = clean_text(event_type) or "unknown"
    event = "HighLevel event of an unknown kind" if kind == "unknown" else f"HighLevel {kind}"
    return f"{event}: {about}" if about else event


def extract(payload: Any) -> set[Key]:
    """Return people and ids; a contact event's own `id` is the contact's."""
    keys = collect_keys(payload)
    event_type = text_at(payload, "type")
    if event_type.startswith("Contact") and (contact := text_at(payload, "id")):
        keys.add(("contact_id", contact))
    return keys


def read_turn(event_type: str, payload: Any) -> Turn | None:
    """Return whose turn a message is; calls are no turns, for they are not answered in writing."""
    contact = text_at(payload, "contactId")
    is_call = text_at(payload, "messageType").upper() in _SPOKEN
    if event_type not in _MESSAGES or not contact or is_call:
        return None
    return Turn(contact, is_ours=not _is_inbound(event_type, payload))


def _is_inbound(event_type: str, payload: Any) -> bool:
    """Tell the direction; samples of inbound messages bear the type OutboundMessage too."""
    return text_at(payload, "direction") == "inbound" or event_type == "InboundMessage"


def contact_page(payload: Any, values: Values) -> str | None:
    """Return the page of the contact that a payload is about, under HighLevel's own name."""
    nested = payload.get("appointment") if isinstance(payload, dict) else None
    contact = text_at(payload, "contactId", "contact_id") or text_at(nested, "contactId")
    if not contact and text_at(payload, "type").startswith("Contact"):
        contact = text_at(payload, "id")
    location = values.get("location_id", "")
    if not (_ID.fullmatch(contact) and _ID.fullmatch(location)):
        return None
    return f"https://app.gohighlevel.com/v2/location/{location}/contacts/detail/{contact}"


def _read_body(request: InboundRequest, *, is_signed: bool) -> dict[str, Any]:
    body = read_payload(request) if request.content_type == FORM and not is_signed else request.json
    if not isinstance(body, dict):
        raise MalformedRequest(
            "The body is not a JSON object. Look at the action's body template and send it again."
        )
    return body


def _about(payload: Any) -> str:
    names = ("full_name", "name", "firstName", "title", "email", "phone", "body")
    nested = payload.get("appointment") if isinstance(payload, dict) else None
    return text_at(payload, *names) or text_at(nested, *names)
