"""Editing an event and sending it again: a new event that says what it was made from, and by whom.

It is never counted as received: nobody but a person of the staff stands behind it.
"""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from lib import audit
from lib.access import Actor, require_staff
from lib.clock import now
from lib.database import EVENTS_CHANNEL
from lib.errors import InvalidInput
from lib.events.queries import find_visible
from lib.hub import Hub
from lib.ids import new_id
from lib.models import EventKey, SearchDocument, WebhookEvent
from lib.outgoing.envelope import facts_of
from lib.outgoing.manual_sends import queue_for
from lib.processing.batch import EDITED
from lib.processing.derivation import derive
from lib.providers.base import FORM
from lib.providers.payloads import decode_payload, read_form
from lib.providers.sending import encode_body, encode_form

SCHEME = "edited by staff"
_CREATED = 201


@dataclass(frozen=True, repr=False)
class Draft:
    """The payload of an event as a person edits it: JSON, or form fields, one a line."""

    content_type: str
    text: str


def begin_edit(hub: Hub, actor: Actor, event_id: str) -> Draft:
    """Return an event's payload as text to edit; staff alone.

    Raises NotFound, and InvalidInput where the payload was removed.
    """
    with hub.database.read() as session:
        event, _ = find_visible(session, actor, event_id)
        require_staff(actor)
        return draft_of(event)


def resend_edited(
    hub: Hub, actor: Actor, event_id: str, *, text: str, destination_id: str | None = None
) -> str:
    """Store the edited payload as a new event of the same integration; return its id.

    It takes the routes, or goes to `destination_id` alone. Raises InvalidInput for a payload
    that cannot be read, NotFound for an event or a destination that is not there.
    """
    with hub.database.write() as session:
        origin, _ = find_visible(session, actor, event_id)
        require_staff(actor)
        draft = draft_of(origin)
        body = _encode(draft.content_type, text, most=hub.settings.max_body_bytes)
        row = _revision(origin, actor, body)
        session.add(row)
        session.flush()
        if destination_id is not None:
            _finish(session, row)
            queue_for(session, row, destination_id)
        elif not hub.database.is_sqlite:
            _wake(session)
        audit.record(session, actor, "event.edited", row.id, origin=event_id)
        return row.id


def draft_of(event: WebhookEvent) -> Draft:
    """Return a payload as text that `encode_body` turns back; raise InvalidInput if removed."""
    if event.payload_removed_at is not None:
        raise InvalidInput(
            "The event's payload was removed by retention, so there is nothing to edit or keep.",
            field="event_id",
        )
    kind = event.content_type.partition(";")[0].strip().lower()
    if kind == FORM:
        fields = read_form(event.payload)
        return Draft(kind, "\n".join(f"{name}={value}" for name, value in fields))
    return Draft(kind, _as_json(decode_payload(kind, event.payload)))


def draft_of_payload(content_type: str, payload: Any) -> str:
    """Return a decoded payload as the body that would carry it; form fields are encoded."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == FORM and isinstance(payload, dict):
        pairs = [
            (name, str(each))
            for name, value in payload.items()
            for each in (value if isinstance(value, list) else [value])
        ]
        return encode_form(pairs).decode()
    return payload if isinstance(payload, str) else _as_json(payload)


def _as_json(payload: Any) -> str:
    return json.dumps(payload, indent=2, ensure_ascii=False)


def _encode(content_type: str, text: str, *, most: int) -> bytes:
    body = encode_body(content_type, text)
    if content_type != FORM:
        try:
            json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InvalidInput(f"This is no JSON: {error}. Correct it.", field="text") from error
    if len(body) > most:
        raise InvalidInput(f"The payload is larger than {most:,} bytes. Shorten it.", field="text")
    return body


def _revision(origin: WebhookEvent, actor: Actor, body: bytes) -> WebhookEvent:
    event_id, moment = new_id("evt"), now()
    proof = {"scheme": SCHEME, "key": "none", "origin": origin.id, "edited by": actor.email}
    return WebhookEvent(
        id=event_id,
        user_id=origin.user_id,
        integration_id=origin.integration_id,
        service_name=origin.service_name,
        event_type=origin.event_type,
        dedupe_key=event_id,
        external_id=origin.external_id,
        method=EDITED,
        content_type=origin.content_type,
        payload=body,
        headers="{}",
        source_ip="",
        verification=json.dumps(proof, ensure_ascii=False),
        status="pending",
        response_code=_CREATED,
        duplicates=0,
        attempts=0,
        due_at=moment,
        created_at=moment,
    )


def _finish(session: Session, row: WebhookEvent) -> None:
    """Make it findable at once, for the worker would route it too."""
    row.status = "success"
    derived = derive(facts_of(row))
    for kind, value in derived.keys:
        session.add(EventKey(event_id=row.id, kind=kind, value=value))
    session.add(SearchDocument(event_id=row.id, text=derived.text))


def _wake(session: Session) -> None:
    session.execute(text(f"NOTIFY {EVENTS_CHANNEL}"))
