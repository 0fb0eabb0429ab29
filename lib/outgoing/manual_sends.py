"""Sending one stored event to a destination that a person chose, past all routes."""

from sqlmodel import Session, col, select

from lib import audit
from lib.access import Actor, require_writer
from lib.clock import now
from lib.errors import InvalidInput, NotFound
from lib.hub import Hub
from lib.ids import new_id
from lib.models import Delivery, Destination, WebhookEvent
from lib.outgoing.action_destinations import action_kinds
from lib.outgoing.delivery_views import DeliveryRow, view_delivery


def send_choices(hub: Hub, actor: Actor, event_id: str) -> dict[str, str]:
    """Return the destinations that an event can be sent to, names by id; raise NotFound."""
    require_writer(actor)
    with hub.database.read() as session:
        event = _own_event(session, actor, event_id)
        query = (
            select(col(Destination.id), col(Destination.name))
            .where(col(Destination.user_id) == event.user_id, col(Destination.deleted_at).is_(None))
            # Only a route has the mapping that yields an action's input.
            .where(col(Destination.kind).not_in(action_kinds()))
            .order_by(col(Destination.name), col(Destination.id))
        )
        return dict(session.exec(query).all())


def send_event(hub: Hub, actor: Actor, event_id: str, destination_id: str) -> DeliveryRow:
    """Deliver a stored event, as it is, to a destination of the member who received it.

    Raises NotFound, and InvalidInput for an event whose payload was removed.
    """
    require_writer(actor)
    with hub.database.write() as session:
        event = _own_event(session, actor, event_id)
        delivery, destination = queue_for(session, event, destination_id)
        audit.record(session, actor, "event.sent", event_id, destination=destination.name)
        return view_delivery(delivery, destination, actor)


def queue_for(
    session: Session, event: WebhookEvent, destination_id: str
) -> tuple[Delivery, Destination]:
    """Add a delivery of an event to a destination of its member; part of the caller's transaction.

    Raises NotFound, and InvalidInput for an event whose payload was removed.
    """
    # Held until the end, for a removal cancels what is queued by then and no more.
    destination = session.get(Destination, destination_id, with_for_update={"read": True})
    if (
        destination is None
        or destination.deleted_at is not None
        or destination.user_id != event.user_id
        or destination.kind in action_kinds()
    ):
        raise NotFound("There is no such destination. Choose one of the list.")
    if event.payload_removed_at is not None:
        raise InvalidInput(
            "The event's payload was removed by retention, so there is nothing to send.",
            field="event_id",
        )
    delivery = _fresh(event, destination)
    session.add(delivery)
    return delivery, destination


def _own_event(session: Session, actor: Actor, event_id: str) -> WebhookEvent:
    event = session.get(WebhookEvent, event_id)
    if event is None or not (actor.sees_all or event.user_id == actor.id):
        raise NotFound("There is no such event. Go back to the activity list.")
    return event


def _fresh(event: WebhookEvent, destination: Destination) -> Delivery:
    moment = now()
    return Delivery(
        id=new_id("dlv"),
        user_id=event.user_id,
        event_id=event.id,
        destination_id=destination.id,
        integration_id=event.integration_id,
        service_name=event.service_name,
        event_type=event.event_type,
        status="pending",
        attempts=0,
        next_attempt_at=moment,
        created_at=moment,
    )
