"""Adding an event by the API: stored like a received one of its integration, routed like it."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from lib.access import Actor
from lib.clock import now
from lib.connections.integrations import owned_row
from lib.database import EVENTS_CHANNEL
from lib.errors import InvalidInput
from lib.hub import Hub
from lib.ids import new_id
from lib.models import WebhookEvent
from lib.providers.digests import digest
from lib.providers.text import clean_text

SCHEME = "api token"
_MOST_TYPE = 100
_CREATED = 201


@dataclass(frozen=True, repr=False)
class Emission:
    """What a caller gives: `token_name` says which token it was, `source_ip` from where.

    Emissions of one integration with the same `unique` key and the same content are one event.
    """

    integration_id: str
    event_type: str
    data: Any
    token_name: str
    source_ip: str
    unique: str | None = None


def emit(hub: Hub, actor: Actor, emission: Emission) -> str:
    """Store an event and return its id; of one that was stored before, the first one's.

    Raises InvalidInput naming the field, NotFound for another's integration.
    """
    event_type = clean_text(emission.event_type)
    if not event_type or len(emission.event_type) > _MOST_TYPE:
        raise InvalidInput(f"Give a type of 1 to {_MOST_TYPE} characters.", field="type")
    body = json.dumps(emission.data, separators=(",", ":")).encode()
    event_id, moment = new_id("evt"), now()
    values = {
        "event_type": event_type,
        "dedupe_key": _dedupe_key(emission, event_type, body) or event_id,
        "external_id": None,
        "method": "POST",
        "content_type": "application/json",
        "payload": body,
        "headers": "{}",
        "source_ip": emission.source_ip,
        "verification": json.dumps(
            {"scheme": SCHEME, "key": emission.token_name, "source": "api"}, ensure_ascii=False
        ),
        "status": "pending",
        "response_code": _CREATED,
        "duplicates": 0,
        "attempts": 0,
        "due_at": moment,
        "created_at": moment,
    }
    with hub.database.write() as session:
        row = owned_row(session, actor, emission.integration_id)
        place = {
            "user_id": row.user_id,
            "integration_id": row.id,
            "service_name": row.service_name,
        }
        return _insert(session, {"id": event_id, **place, **values}, hub.database.is_sqlite)


def _insert(session: Session, values: dict[str, Any], is_sqlite: bool) -> str:
    insert = sqlite.insert if is_sqlite else postgresql.insert
    done = session.execute(
        insert(WebhookEvent).values(values).on_conflict_do_nothing().returning(col(WebhookEvent.id))
    ).first()
    if not is_sqlite:
        # SQLite's workers see the commit itself.
        session.execute(text(f"NOTIFY {EVENTS_CHANNEL}"))
    if done is not None:
        return str(done[0])
    is_first = (
        col(WebhookEvent.integration_id) == values["integration_id"],
        col(WebhookEvent.dedupe_key) == values["dedupe_key"],
    )
    session.execute(
        update(WebhookEvent)
        .where(*is_first)
        .values(duplicates=col(WebhookEvent.duplicates) + 1)
        .execution_options(synchronize_session=False)
    )
    return session.exec(select(WebhookEvent.id).where(*is_first)).one()


def _dedupe_key(emission: Emission, event_type: str, body: bytes) -> str | None:
    """Return a key that a repetition has too; another content under the same key has its own."""
    if emission.unique is None:
        return None
    content = hashlib.sha256(body).hexdigest()
    return digest(json.dumps([SCHEME, emission.unique, event_type, content]).encode())
