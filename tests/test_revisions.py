"""Edited events and kept samples: what they are made of, who may, and that they do not count."""

import json

import pytest
from sqlmodel import col, select

from lib.access import Actor
from lib.errors import InvalidInput, NotAllowed, NotFound
from lib.events.reading import get_event
from lib.events.relations import related_events
from lib.events.revisions import begin_edit, resend_edited
from lib.events.samples import MOST_SAMPLES, list_saved, remove_saved, save_sample
from lib.hub import Hub
from lib.models import Delivery, HourlyRollup, SavedSample
from lib.outgoing.route_reasons import reasons_of_event
from lib.processing.batch import process_batch
from tests.event_factories import SMS, make_event, make_integration
from tests.factories import make_user
from tests.outgoing_factories import make_destination, make_route
from tests.retention_rows import do_round, make_old_event

EDITED = json.dumps({**SMS, "Body": "Corrected"})


def _staff(hub: Hub) -> Actor:
    return make_user(hub, "sam@example.com", "staff")


def _deliveries(hub: Hub) -> list[tuple[str, str]]:
    with hub.database.read() as session:
        return [(each.event_id, each.destination_id) for each in session.exec(select(Delivery))]


def test_an_edited_event_is_new_says_so_and_takes_the_routes(hub: Hub) -> None:
    ada, sam = make_user(hub), _staff(hub)
    item = make_integration(hub, ada)
    origin = make_event(hub, item)
    place = make_destination(hub, ada)
    make_route(hub, item, place)
    draft = begin_edit(hub, sam, origin)
    assert json.loads(draft.text) == SMS
    made = resend_edited(hub, sam, origin, text=EDITED)
    assert process_batch(hub) == 1
    found = get_event(hub, ada, made)
    assert found.payload["Body"] == "Corrected"
    assert found.verification["origin"] == origin
    assert found.verification["edited by"] == sam.email
    assert found.row.status == "success"
    assert _deliveries(hub) == [(made, place.id)]
    with hub.database.read() as session:
        outcomes = session.exec(select(HourlyRollup.outcome)).all()
    assert list(outcomes) == ["edited"]


def test_an_edited_event_goes_to_one_chosen_destination_alone(hub: Hub) -> None:
    ada, sam = make_user(hub), _staff(hub)
    item = make_integration(hub, ada)
    origin = make_event(hub, item)
    make_route(hub, item, make_destination(hub, ada))
    chosen = make_destination(hub, ada, "Chosen")
    made = resend_edited(hub, sam, origin, text=EDITED, destination_id=chosen.id)
    assert process_batch(hub) == 0
    assert _deliveries(hub) == [(made, chosen.id)]
    assert ("phone", SMS["From"]) in get_event(hub, ada, made).keys


def test_an_edit_is_for_staff_of_what_can_be_read(hub: Hub) -> None:
    ada, sam = make_user(hub), _staff(hub)
    item = make_integration(hub, ada)
    event_id = make_event(hub, item)
    with pytest.raises(NotAllowed):
        begin_edit(hub, ada, event_id)
    with pytest.raises(NotAllowed):
        resend_edited(hub, ada, event_id, text=EDITED)
    with pytest.raises(InvalidInput, match="no JSON"):
        resend_edited(hub, sam, event_id, text="{")
    strangers = make_destination(hub, sam)
    with pytest.raises(NotFound):
        resend_edited(hub, sam, event_id, text=EDITED, destination_id=strangers.id)
    old = make_old_event(hub, item, 31)
    do_round(hub)
    with pytest.raises(InvalidInput, match="removed by retention"):
        begin_edit(hub, sam, old)


def test_a_sample_is_kept_listed_and_removed(hub: Hub) -> None:
    ada, bob = make_user(hub), make_user(hub, "bob@example.com")
    event_id = make_event(hub, make_integration(hub, ada))
    kept = save_sample(hub, ada, event_id, name="  A  text ")
    assert (kept.name, json.loads(kept.text)) == ("A text", SMS)
    assert list_saved(hub, ada, service_name="twilio") == [kept]
    assert list_saved(hub, ada, service_name="make") == list_saved(hub, bob) == []
    with pytest.raises(InvalidInput, match="1 to 80"):
        save_sample(hub, ada, event_id, name=" ")
    remove_saved(hub, ada, kept.id)
    assert list_saved(hub, ada) == []


def test_a_person_keeps_so_many_samples_and_no_more(hub: Hub) -> None:
    ada = make_user(hub)
    event_id = make_event(hub, make_integration(hub, ada))
    kept = save_sample(hub, ada, event_id, name="One")
    with hub.database.write() as session:
        row = session.get_one(SavedSample, kept.id)
        for number in range(1, MOST_SAMPLES):
            values = {**row.model_dump(), "id": f"smp_{number}"}
            session.add(SavedSample(**values))
    with pytest.raises(InvalidInput, match="which is the most"):
        save_sample(hub, ada, event_id, name="One more")


def test_related_events_share_a_contact_over_all_services_of_one_member(hub: Hub) -> None:
    ada, bob = make_user(hub), make_user(hub, "bob@example.com")
    item, other = make_integration(hub, ada), make_integration(hub, ada, service_name="make")
    first, second = make_event(hub, item, event_type="message.inbound"), make_event(hub, other)
    make_event(hub, make_integration(hub, bob))
    found = related_events(hub, ada, first)
    assert [(each.row.id, each.shared) for each in found] == [(second, ("email", "phone"))]
    with pytest.raises(NotFound):
        related_events(hub, bob, first)


def test_the_members_own_number_relates_nothing(hub: Hub) -> None:
    ada = make_user(hub)
    item = make_integration(hub, ada)
    own = {**SMS, "To": SMS["From"], "From": "+14155550188"}
    first = make_event(hub, item, payload=own, event_type="message.inbound")
    second = make_event(hub, item, payload=own, event_type="message.inbound")
    found = related_events(hub, ada, first)
    assert [(each.row.id, each.shared) for each in found] == [(second, ("email",))]


def test_each_route_says_why_it_does_not_take_an_event(hub: Hub) -> None:
    ada = make_user(hub)
    item, place = make_integration(hub, ada), make_destination(hub, ada)
    make_route(hub, item, place, "1 taken")
    make_route(hub, item, place, "2 paused", is_active=False)
    make_route(hub, item, place, "3 type", event_types=["call.inbound"])
    rule = {"path": "data.From", "operator": "equals", "value": "+1"}
    make_route(hub, item, place, "4 rule", filters=[rule])
    event_id = make_event(hub, item)
    make_route(hub, item, place, "5 late")
    assert [each.reason for each in reasons_of_event(hub, ada, event_id)] == [
        None,
        "it is paused",
        "it takes call.inbound and not message.received",
        "data.From equals +1 is not met",
        "it was made after the event came",
    ]
    with hub.database.read() as session:
        assert session.exec(select(col(Delivery.id))).all() == []
