"""What the list of events says beside each row: of whom it is, and how its deliveries fare."""

from typing import Any

from sqlmodel import col, delete, update

from lib.access import Actor
from lib.events.figures import count_received, figures_of, subjects_of
from lib.hub import Hub
from lib.models import Delivery, EventKey
from tests.event_factories import SMS, make_event, make_integration
from tests.factories import make_user
from tests.outgoing_factories import make_delivery, make_destination

# Both of the event's own payload: the account's number is the greater one.
OWN, CONTACT = SMS["To"], SMS["From"]


def event_with_keys(hub: Hub, owner: Actor, *keys: tuple[str, str], **more: Any) -> str:
    """Insert an event that is found by these keys alone."""
    event_id = make_event(hub, make_integration(hub, owner), **more)
    with hub.database.write() as session:
        session.execute(delete(EventKey).where(col(EventKey.event_id) == event_id))
        for kind, value in keys:
            session.add(EventKey(event_id=event_id, kind=kind, value=value))
    return event_id


def test_an_event_is_about_the_contact_and_not_about_the_own_number(hub: Hub) -> None:
    ada = make_user(hub)
    both = [("phone", OWN), ("phone", CONTACT)]
    received = event_with_keys(hub, ada, *both)
    sent = event_with_keys(hub, ada, *both, event_type="message.status")
    assert subjects_of(hub, ada, [received]) == {received: CONTACT}
    assert subjects_of(hub, ada, [sent]) == {sent: OWN}, "then the one it goes to is the contact"


def test_an_event_with_the_own_number_alone_is_about_nobody(hub: Hub) -> None:
    """As of a text that a name sent, or a call that hid its number."""
    ada = make_user(hub)
    named = {**SMS, "From": "ACMEBANK"}
    event_id = event_with_keys(hub, ada, ("phone", OWN), payload=named)
    assert subjects_of(hub, ada, [event_id]) == {}


def test_the_most_telling_key_says_whom_an_event_is_about(hub: Hub) -> None:
    ada = make_user(hub)
    keys = [("contact_id", "con_1"), ("email", "grace@example.org"), ("phone", CONTACT)]
    found = [event_with_keys(hub, ada, *keys[:count]) for count in (1, 2, 3)]
    assert [subjects_of(hub, ada, found)[each] for each in found] == [value for _, value in keys]


def test_nobody_learns_of_another_members_contact_and_analysts_get_a_name(hub: Hub) -> None:
    ada = make_user(hub)
    event_id = event_with_keys(hub, ada, ("phone", CONTACT))
    assert subjects_of(hub, make_user(hub, "eve@example.com"), [event_id]) == {}
    ana = make_user(hub, "ana@example.com", "analyst")
    assert subjects_of(hub, ana, [event_id])[event_id].startswith("c_")
    assert figures_of(hub, make_user(hub, "bob@example.com"), [event_id]) == {}
    assert count_received(hub, make_user(hub, "joe@example.com")) == 0


def test_the_worst_delivery_tells_how_an_event_fares(hub: Hub) -> None:
    ada = make_user(hub)
    place = make_destination(hub, ada)
    event_id = make_event(hub, make_integration(hub, ada))
    assert figures_of(hub, ada, [event_id]) == {}
    for status in ("delivered", "dead", "pending"):
        make_delivery(hub, event_id, place, status=status)
    figures = figures_of(hub, ada, [event_id])[event_id]
    assert (figures.status, figures.arrived, figures.total) == ("dead", 1, 3)
    with hub.database.write() as session:
        session.execute(update(Delivery).values(status="delivered"))
    assert figures_of(hub, ada, [event_id])[event_id].status == "delivered"
