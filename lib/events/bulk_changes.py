"""What is done to many events or deliveries at once, and which of them it would change."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import update
from sqlmodel import Session, col, func, select

from lib import audit
from lib.access import Actor, require_writer
from lib.clock import now
from lib.events import tags
from lib.events.conditions import Condition
from lib.hub import Hub
from lib.models import Delivery, Destination, EventKey, WebhookEvent
from lib.outgoing.delivery_filters import FINISHED, QUEUED, DeliveryFilters, narrowing, visible_to


class Target(NamedTuple):
    """One thing that an action changes: an event, or a delivery of one with its destination."""

    id: str
    event_id: str
    destination: str = ""


def queued_of_events(
    session: Session, actor: Actor, event_ids: Sequence[str], tag: str
) -> list[Target]:
    """Return the deliveries of the events that wait to be sent."""
    return _queued(session, actor, [col(Delivery.event_id).in_(event_ids)], most=None)


def queued_that_match(
    session: Session, actor: Actor, filters: DeliveryFilters, *, most: int
) -> list[Target]:
    """Return the newest deliveries that match and wait to be sent; raise InvalidInput."""
    return _queued(session, actor, narrowing(filters), most=most)


def failed_events(
    session: Session, actor: Actor, event_ids: Sequence[str], tag: str
) -> list[Target]:
    """Return the failed events that nobody has resolved."""
    return _events(session, event_ids, _failed(actor))


def retriable_events(
    session: Session, actor: Actor, event_ids: Sequence[str], tag: str
) -> list[Target]:
    """Return the failed events that still have what is processed again."""
    return _events(session, event_ids, [*_failed(actor), *_with_payload()])


def taggable_events(
    session: Session, actor: Actor, event_ids: Sequence[str], tag: str
) -> list[Target]:
    """Return the events without the tag that have room for it."""
    held = _tags_of(session, event_ids)
    return [
        target
        for target in _events(session, event_ids, _own(actor))
        if tag not in held[target.id] and len(held[target.id]) < tags.MOST_TAGS
    ]


def tagged_events(
    session: Session, actor: Actor, event_ids: Sequence[str], tag: str
) -> list[Target]:
    """Return the events with the tag."""
    held = _tags_of(session, event_ids)
    return [target for target in _events(session, event_ids, _own(actor)) if tag in held[target.id]]


def newest_finished(session: Session, actor: Actor, event_ids: Sequence[str]) -> list[str]:
    """Return the newest delivery of each event to each destination, where that has ended."""
    newest = (
        select(func.max(col(Delivery.id)))
        .where(col(Delivery.event_id).in_(event_ids), *visible_to(actor))
        .group_by(col(Delivery.event_id), col(Delivery.destination_id))
    )
    query = select(col(Delivery.id)).where(
        col(Delivery.id).in_(newest), col(Delivery.status).in_(FINISHED)
    )
    return sorted(session.exec(query))


def cancel_queued(hub: Hub, actor: Actor, delivery_ids: Sequence[str]) -> int:
    """End the deliveries that still wait without sending them; return how many."""
    require_writer(actor)
    with hub.database.write() as session:
        cancelled = session.execute(
            update(Delivery)
            .where(col(Delivery.id).in_(delivery_ids), col(Delivery.status).in_(QUEUED))
            .where(*visible_to(actor))
            .values(status="cancelled", next_attempt_at=None, finished_at=now())
            .returning(col(Delivery.id))
            .execution_options(synchronize_session=False)
        )
        ids = sorted(cancelled.scalars())
        for delivery_id in ids:
            audit.record(session, actor, "delivery.cancelled", delivery_id)
    return len(ids)


def resolve_failed(hub: Hub, actor: Actor, event_ids: Sequence[str]) -> int:
    """Mark failed events as needing nobody any more; return how many."""
    values = {"resolved_at": now()}
    return _change(hub, actor, event_ids, "event.resolved", values, also=[])


def retry_failed(hub: Hub, actor: Actor, event_ids: Sequence[str]) -> int:
    """Hand failed events to the worker again; return how many. Those without payload stay."""
    values = {"status": "pending", "attempts": 0, "due_at": now(), "lease_id": None}
    return _change(hub, actor, event_ids, "event.retried", values, also=_with_payload())


def _change(
    hub: Hub,
    actor: Actor,
    event_ids: Sequence[str],
    action: str,
    values: Mapping[str, object],
    *,
    also: Sequence[Condition],
) -> int:
    require_writer(actor)
    statement = (
        update(WebhookEvent)
        .where(col(WebhookEvent.id).in_(event_ids), *_failed(actor), *also)
        .values(dict(values))
        .returning(col(WebhookEvent.id))
        .execution_options(synchronize_session=False)
    )
    with hub.database.write() as session:
        ids = sorted(session.execute(statement).scalars())
        for event_id in ids:
            audit.record(session, actor, action, event_id)
    return len(ids)


def _queued(
    session: Session, actor: Actor, conditions: Sequence[Condition], *, most: int | None
) -> list[Target]:
    query = (
        select(col(Delivery.id), col(Delivery.event_id), col(Destination.name))
        .join(Destination, col(Destination.id) == col(Delivery.destination_id))
        .where(*conditions, *visible_to(actor), col(Delivery.status).in_(QUEUED))
        .order_by(col(Delivery.id).desc())
        .limit(most)
    )
    return [Target(*row) for row in session.exec(query)]


def _events(
    session: Session, event_ids: Sequence[str], conditions: Sequence[Condition]
) -> list[Target]:
    query = (
        select(col(WebhookEvent.id))
        .where(col(WebhookEvent.id).in_(event_ids), *conditions)
        .order_by(col(WebhookEvent.id).desc())
    )
    return [Target(event_id, event_id) for event_id in session.exec(query)]


def _tags_of(session: Session, event_ids: Sequence[str]) -> defaultdict[str, set[str]]:
    query = select(col(EventKey.event_id), col(EventKey.value)).where(
        col(EventKey.event_id).in_(event_ids), col(EventKey.kind) == tags.KIND
    )
    held: defaultdict[str, set[str]] = defaultdict(set)
    for event_id, value in session.exec(query):
        held[event_id].add(value)
    return held


def _own(actor: Actor) -> list[Condition]:
    return [] if actor.sees_all else [col(WebhookEvent.user_id) == actor.id]


def _failed(actor: Actor) -> list[Condition]:
    return [
        col(WebhookEvent.status) == "failed",
        col(WebhookEvent.resolved_at).is_(None),
        *_own(actor),
    ]


def _with_payload() -> list[Condition]:
    return [col(WebhookEvent.payload_removed_at).is_(None)]
