"""Tags that people put on events: `key=value`, kept among the keys that events are found by."""

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from lib import audit
from lib.access import Actor, require_writer
from lib.errors import InvalidInput, NotFound
from lib.hub import Hub
from lib.models import EventKey, WebhookEvent

KIND = "tag"
MOST_EVENTS = 200
MOST_TAGS = 20
_FORM = re.compile(r"([A-Za-z0-9][\w.-]{0,39})\s*=\s*(\S(?:[^\x00-\x1f]{0,98}\S)?)", re.ASCII)


def read_tag(text: str) -> str:
    """Return a tag as it is stored; raise InvalidInput unless it reads `key=value`."""
    found = _FORM.fullmatch(text.strip())
    if found is None or not found[2].isprintable():
        raise InvalidInput(
            "Write a tag as key=value, such as case=4711: a key of up to 40 letters, digits, "
            "dots, hyphens and underscores, and a value of up to 100 characters.",
            field="tag",
        )
    return f"{found[1].lower()}={found[2]}"


def add_tag(hub: Hub, actor: Actor, event_ids: Sequence[str], tag: str) -> int:
    """Put `tag` on up to 200 events and return how many did not have it before.

    Events that are gone are passed over. Raises NotFound when `actor` reaches none of them, and
    InvalidInput for a malformed tag or an event that has 20 tags.
    """
    require_writer(actor)
    value = read_tag(tag)
    with hub.database.write() as session:
        ids = _reachable(session, actor, event_ids)
        missing = [each for each in ids if each not in _holders(session, ids, value)]
        _check_room(session, missing)
        dialect: Any = sqlite if hub.database.is_sqlite else postgresql
        if missing:
            session.execute(
                dialect.insert(EventKey)
                .values([{"event_id": each, "kind": KIND, "value": value} for each in missing])
                # Another person may have added the same meanwhile.
                .on_conflict_do_nothing()
            )
        for each in missing:
            audit.record(session, actor, "event.tagged", each, tag=value)
        return len(missing)


def remove_tag(hub: Hub, actor: Actor, event_ids: Sequence[str], tag: str) -> int:
    """Take `tag` off up to 200 events and return how many had it.

    Raises NotFound when `actor` reaches none of them.
    """
    require_writer(actor)
    with hub.database.write() as session:
        ids = _reachable(session, actor, event_ids)
        removed = session.execute(
            delete(EventKey)
            .where(col(EventKey.event_id).in_(ids))
            .where(col(EventKey.kind) == KIND, col(EventKey.value) == tag)
            .returning(col(EventKey.event_id))
            .execution_options(synchronize_session=False)
        )
        found = sorted(removed.scalars())
        for each in found:
            audit.record(session, actor, "event.untagged", each, tag=tag)
        return len(found)


def _reachable(session: Session, actor: Actor, event_ids: Sequence[str]) -> list[str]:
    if not 1 <= len(event_ids) <= MOST_EVENTS:
        raise InvalidInput(f"Choose 1 to {MOST_EVENTS} events.", field="event_ids")
    query = (
        select(col(WebhookEvent.id))
        .where(col(WebhookEvent.id).in_(event_ids))
        .order_by(col(WebhookEvent.id))
        # Retention must not remove one of them before its tag is there.
        .with_for_update(read=True, key_share=True)
    )
    if not actor.sees_all:
        query = query.where(col(WebhookEvent.user_id) == actor.id)
    found = list(session.exec(query))
    if not found:
        raise NotFound("There is no such event. Go back to the activity list.")
    return found


def _holders(session: Session, ids: Sequence[str], value: str) -> set[str]:
    query = (
        select(col(EventKey.event_id))
        .where(col(EventKey.event_id).in_(ids))
        .where(col(EventKey.kind) == KIND, col(EventKey.value) == value)
    )
    return set(session.exec(query))


def _check_room(session: Session, ids: Sequence[str]) -> None:
    query = (
        select(col(EventKey.event_id))
        .where(col(EventKey.event_id).in_(ids), col(EventKey.kind) == KIND)
        .group_by(col(EventKey.event_id))
        .having(func.count() >= MOST_TAGS)
    )
    if (full := session.exec(query.limit(1)).first()) is not None:
        raise InvalidInput(
            f"{full} has {MOST_TAGS} tags, which is the most. Remove one first.", field="tag"
        )
