"""What the list of events says of each beside its own row: how its deliveries fare, and of whom."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, func, select

from lib.access import Actor
from lib.events.queries import own_values
from lib.hub import Hub
from lib.masking import mask_key
from lib.models import (
    Delivery,
    Destination,
    EventKey,
    EventTotal,
    WebhookEvent,
)
from lib.outgoing.delivery_filters import QUEUED, visible_to
from lib.outgoing.outcomes import ARRIVED
from lib.processing.totals import scope_of
from lib.pseudonyms import names_for

# The most telling first.
_SUBJECTS = ("phone", "email", "contact_id")


@dataclass(frozen=True)
class EventFigures:
    """How the deliveries of one event fare.

    `status` is that of the worst or least finished of them. `seconds` is the longest
    that one of them took to arrive, from when it was made: a replay of an old event is not late.
    """

    status: str
    total: int
    arrived: int
    attempts: int
    last_answer: int | None
    seconds: float | None
    destinations: tuple[str, ...]


def shown_status(stored: str, figures: EventFigures | None) -> str:
    """Return the status of an event as screens show it: once it is routed, its deliveries'."""
    return figures.status if figures and stored == "success" else stored


def count_received(hub: Hub, actor: Actor) -> int:
    """Return how many events ever came, by the daily counts."""
    query = select(func.sum(col(EventTotal.count))).where(
        col(EventTotal.scope) == scope_of(actor),
        col(EventTotal.span) == "day",
        col(EventTotal.outcome) == "received",
    )
    with hub.database.read() as session:
        return int(session.exec(query).one() or 0)


def figures_of(hub: Hub, actor: Actor, event_ids: Sequence[str]) -> dict[str, EventFigures]:
    """Return by event what its deliveries come to; events without any are left out."""
    query = (
        select(Delivery, Destination)
        .join(Destination, col(Destination.id) == col(Delivery.destination_id))
        .where(col(Delivery.event_id).in_(event_ids), *visible_to(actor))
        .order_by(col(Delivery.id))
    )
    by_event: defaultdict[str, list[tuple[Any, Any]]] = defaultdict(list)
    with hub.database.read() as session:
        for delivery, place in session.exec(query):
            by_event[delivery.event_id].append((delivery, place))
    return {event_id: _sum_up(pairs) for event_id, pairs in by_event.items()}


def subjects_of(hub: Hub, actor: Actor, event_ids: Sequence[str]) -> dict[str, str]:
    """Return by event whom it is about: a phone, an e-mail or a contact's id.

    Analysts get the contact's stable name instead.
    """
    query = (
        select(EventKey)
        .join(WebhookEvent, col(WebhookEvent.id) == col(EventKey.event_id))
        .where(col(EventKey.event_id).in_(event_ids), col(EventKey.kind).in_(_SUBJECTS))
    )
    if not actor.sees_all:
        query = query.where(col(WebhookEvent.user_id) == actor.id)
    with hub.database.read() as session:
        found = session.exec(query).all()
        own = _own_values(session, found)
    # The member's own number is in each message and tells nothing.
    keys = [key for key in found if key.value not in own.get(key.event_id, ())]
    names = names_for(hub, actor)
    ranked = sorted(keys, key=lambda key: (-_SUBJECTS.index(key.kind), key.value))
    return {key.event_id: mask_key(key.kind, key.value, names) for key in ranked}


def _own_values(session: Session, keys: Sequence[EventKey]) -> dict[str, set[str]]:
    """Return the member's own numbers by event; only what has a number is read for them."""
    numbered = {key.event_id for key in keys if key.kind == "phone"}
    events = session.exec(select(WebhookEvent).where(col(WebhookEvent.id).in_(numbered))).all()
    return {event.id: own_values(event) for event in events}


def _sum_up(pairs: Sequence[tuple[Delivery, Destination]]) -> EventFigures:
    deliveries = [delivery for delivery, _ in pairs]
    answers = [item.response_status for item in deliveries if item.response_status is not None]
    arrived = [item for item in deliveries if item.status in ARRIVED]
    return EventFigures(
        status=_worst([_shown(delivery, place) for delivery, place in pairs]),
        total=len(deliveries),
        arrived=len(arrived),
        attempts=sum(item.attempts for item in deliveries),
        last_answer=answers[-1] if answers else None,
        seconds=max((_seconds(item) for item in arrived), default=None),
        destinations=tuple(dict.fromkeys(place.name for _, place in pairs)),
    )


def _shown(delivery: Delivery, place: Destination) -> str:
    takes_nothing = not place.is_active or place.disabled_at is not None
    return "paused" if takes_nothing and delivery.status in QUEUED else delivery.status


def _worst(statuses: Sequence[str]) -> str:
    order = ("dead", "retrying", "sending", "pending", "paused", "delivered", "accepted")
    return next((status for status in order if status in statuses), "cancelled")


def _seconds(delivery: Delivery) -> float:
    ended: datetime = delivery.finished_at or delivery.created_at
    return (ended - delivery.created_at).total_seconds()
