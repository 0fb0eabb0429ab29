"""Payloads that people kept for the testing tools: members see their own, staff all."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from lib import audit
from lib.access import Actor, require_writer
from lib.clock import now
from lib.errors import InvalidInput, NotFound
from lib.events.queries import find_visible
from lib.events.revisions import draft_of
from lib.hub import Hub
from lib.ids import new_id
from lib.models import SavedSample

PREFIX = "smp_"
MOST_SAMPLES = 100
_LONGEST_NAME = 80


@dataclass(frozen=True, repr=False)
class Sample:
    """A kept payload; `text` is JSON, or form fields one a line."""

    id: str
    name: str
    service_name: str
    event_type: str
    content_type: str
    text: str
    created_at: datetime


def save_sample(hub: Hub, actor: Actor, event_id: str, *, name: str) -> Sample:
    """Keep an event's payload under a name, for `actor`; raise InvalidInput or NotFound."""
    require_writer(actor)
    cleaned = " ".join(name.split())
    if not cleaned or len(cleaned) > _LONGEST_NAME:
        raise InvalidInput(f"Give a name of 1 to {_LONGEST_NAME} characters.", field="name")
    with hub.database.write() as session:
        event, _ = find_visible(session, actor, event_id)
        draft = draft_of(event)
        own = select(func.count()).where(col(SavedSample.user_id) == actor.id)
        if session.exec(own).one() >= MOST_SAMPLES:
            raise InvalidInput(
                f"You keep {MOST_SAMPLES} samples, which is the most. Remove one first.",
                field="name",
            )
        row = SavedSample(
            id=new_id("smp"),
            user_id=actor.id,
            service_name=event.service_name,
            event_type=event.event_type,
            name=cleaned,
            content_type=draft.content_type,
            payload=draft.text.encode("utf-8", "replace"),
            created_at=now(),
        )
        session.add(row)
        audit.record(session, actor, "sample.saved", row.id, event=event_id)
        return _view(row)


def list_saved(hub: Hub, actor: Actor, *, service_name: str | None = None) -> list[Sample]:
    """Return the newest 200 samples that `actor` may see."""
    query = _visible(actor).order_by(col(SavedSample.id).desc()).limit(200)
    if service_name is not None:
        query = query.where(col(SavedSample.service_name) == service_name)
    with hub.database.read() as session:
        return [_view(row) for row in session.exec(query)]


def remove_saved(hub: Hub, actor: Actor, sample_id: str) -> None:
    """Forget a sample; raise NotFound."""
    with hub.database.write() as session:
        row = find_row(session, actor, sample_id)
        session.delete(row)
        audit.record(session, actor, "sample.removed", sample_id, name=row.name)


def _visible(actor: Actor) -> Any:
    require_writer(actor)
    query = select(SavedSample)
    return query if actor.sees_all else query.where(col(SavedSample.user_id) == actor.id)


def find_row(session: Session, actor: Actor, sample_id: str) -> SavedSample:
    """Return a sample's row in the caller's transaction; raise NotFound."""
    row: SavedSample | None = session.exec(
        _visible(actor).where(col(SavedSample.id) == sample_id)
    ).first()
    if row is None:
        raise NotFound("There is no such sample (any more). Choose another.")
    return row


def _view(row: SavedSample) -> Sample:
    return Sample(
        id=row.id,
        name=row.name,
        service_name=row.service_name,
        event_type=row.event_type,
        content_type=row.content_type,
        text=row.payload.decode("utf-8", "replace"),
        created_at=row.created_at,
    )
