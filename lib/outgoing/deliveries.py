"""Reading deliveries, and the two things a person can do with a queued one: hurry and cancel.

A worker claims by a conditional update; so do these, and a delivery that a worker has taken
or finished is never changed from here.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import Select

from lib import audit
from lib.access import Actor, require_writer
from lib.clock import now
from lib.errors import InvalidInput, NotFound
from lib.hub import Hub
from lib.lists.paging import Page, check_limit
from lib.masking import HIDDEN
from lib.models import Delivery, DeliveryAttempt, Destination, DestinationState, WebhookEvent
from lib.outgoing.delivery_filters import QUEUED, DeliveryFilters, narrowing, visible_to
from lib.outgoing.delivery_views import (
    DeliveryDetail,
    DeliveryRow,
    TrackedDelivery,
    view_attempt,
    view_body,
    view_delivery,
    view_line,
    view_mapping,
)

Rows = Select[*tuple[Any, ...]]
# A drawer of more would not be read; the list of deliveries has them all.
MOST_OF_EVENT = 50


@dataclass(frozen=True)
class Hurried:
    """A delivery that was asked to be tried now, and a sentence on when that will be."""

    row: DeliveryRow
    notice: str


def list_deliveries(
    hub: Hub,
    actor: Actor,
    filters: DeliveryFilters,
    *,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[DeliveryRow]:
    """Return the newest matching deliveries that `actor` may see, before `cursor` if given."""
    query = _visible(actor).where(*narrowing(filters)).order_by(col(Delivery.id).desc())
    if cursor is not None:
        query = query.where(col(Delivery.id) < cursor)
    with hub.database.read() as session:
        found = session.exec(query.limit(check_limit(limit) + 1)).all()
    rows = [view_delivery(delivery, place, actor) for delivery, place in found[:limit]]
    return Page(rows, rows[-1].id if len(found) > limit else None)


def get_delivery(hub: Hub, actor: Actor, delivery_id: str) -> DeliveryDetail:
    """Return one delivery with its attempts and the body that is sent; raise NotFound."""
    with hub.database.read() as session:
        delivery, destination = _find(session, actor, delivery_id)
        event = session.get_one(WebhookEvent, delivery.event_id)
        attempts = _attempts(session, [delivery_id])
    body, note = view_body(delivery, destination, event, actor=actor)
    return DeliveryDetail(
        row=view_delivery(delivery, destination, actor),
        mapping=view_mapping(delivery, actor),
        attempts=tuple(view_attempt(attempt, actor) for attempt in attempts),
        body=body,
        body_note=note,
        kind=destination.kind,
        url_host=HIDDEN if actor.sees_masked else destination.url_host,
    )


def deliveries_of_event(hub: Hub, actor: Actor, event_id: str) -> list[TrackedDelivery]:
    """Return the newest 50 deliveries of one event in the order in which they were made."""
    query = _visible(actor).where(col(Delivery.event_id) == event_id)
    with hub.database.read() as session:
        newest = query.order_by(col(Delivery.id).desc()).limit(MOST_OF_EVENT)
        found = list(reversed(session.exec(newest).all()))
        lines = defaultdict(list)
        for attempt in _attempts(session, [delivery.id for delivery, _ in found]):
            lines[attempt.delivery_id].append(view_line(attempt, actor))
    return [
        TrackedDelivery(view_delivery(delivery, place, actor), tuple(lines[delivery.id]))
        for delivery, place in found
    ]


def destination_names(hub: Hub, actor: Actor) -> dict[str, str]:
    """Return the names of the destinations that `actor` may see, by id."""
    query = (
        select(col(Destination.id), col(Destination.name))
        .where(col(Destination.deleted_at).is_(None))
        .order_by(col(Destination.name), col(Destination.id))
    )
    if not actor.sees_all:
        query = query.where(col(Destination.user_id) == actor.id)
    with hub.database.read() as session:
        return dict(session.exec(query).all())


def retry_now(hub: Hub, actor: Actor, delivery_id: str) -> Hurried:
    """Make a queued delivery due at once; raise InvalidInput for any other.

    The attempt counts as its next one, so the schedule moves on by one step and not by two.
    """
    require_writer(actor)
    with hub.database.write() as session:
        _change_queued(session, actor, delivery_id, next_attempt_at=now())
        delivery, destination = _find(session, actor, delivery_id)
        audit.record(session, actor, "delivery.retried", delivery_id)
        notice = _say_when(session, destination)
        return Hurried(view_delivery(delivery, destination, actor), notice)


def cancel(hub: Hub, actor: Actor, delivery_id: str) -> DeliveryRow:
    """End a queued delivery without sending it; raise InvalidInput for any other."""
    require_writer(actor)
    with hub.database.write() as session:
        _change_queued(
            session,
            actor,
            delivery_id,
            status="cancelled",
            next_attempt_at=None,
            finished_at=now(),
        )
        delivery, destination = _find(session, actor, delivery_id)
        audit.record(session, actor, "delivery.cancelled", delivery_id)
        return view_delivery(delivery, destination, actor)


def _visible(actor: Actor) -> Rows:
    query = select(Delivery, Destination).join(
        Destination, col(Destination.id) == col(Delivery.destination_id)
    )
    return query.where(*visible_to(actor))


def _find(session: Session, actor: Actor, delivery_id: str) -> tuple[Delivery, Destination]:
    found = session.exec(_visible(actor).where(col(Delivery.id) == delivery_id)).first()
    if found is None:
        raise NotFound("There is no such delivery. Go back to the list of deliveries.")
    return found[0], found[1]


def _attempts(session: Session, delivery_ids: list[str]) -> Sequence[DeliveryAttempt]:
    query = (
        select(DeliveryAttempt)
        .where(col(DeliveryAttempt.delivery_id).in_(delivery_ids))
        .order_by(col(DeliveryAttempt.delivery_id), col(DeliveryAttempt.id))
    )
    return session.exec(query).all()


def _change_queued(session: Session, actor: Actor, delivery_id: str, **values: Any) -> None:
    # The status is asked for in the update itself: between a look and a write a worker may
    # have claimed the row, and it must not be in two hands.
    changed = session.execute(
        update(Delivery)
        .where(col(Delivery.id) == delivery_id, col(Delivery.status).in_(QUEUED))
        .where(*visible_to(actor))
        .values(**values)
        .returning(col(Delivery.id))
    ).first()
    if changed is None:
        delivery, _ = _find(session, actor, delivery_id)
        raise InvalidInput(_say_why_not(delivery.status), field="status")


def _say_why_not(status: str) -> str:
    if status == "sending":
        return "It is being sent right now. Wait for the end of this attempt and look again."
    return f"It is {status} already, so nothing waits to be sent. Replay it to send it again."


def _say_when(session: Session, destination: Destination) -> str:
    if destination.disabled_at is not None:
        return f"{destination.name} was given up (410). It is sent once you enable it again."
    if not destination.is_active:
        return f"{destination.name} is paused. It is sent as soon as you resume it."
    state = session.get(DestinationState, destination.id)
    if state is None or state.blocked_until is None or state.blocked_until <= now():
        return "It is sent now."
    return (
        f"{destination.name} failed too often, so nothing is sent to it before "
        f"{state.blocked_until:%H:%M:%S} UTC. It is sent after that."
    )
