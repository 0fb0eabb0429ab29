"""Who looks after an issue, muting, many at once, and what a removal closes."""

from datetime import timedelta

import pytest

from lib.access import Actor
from lib.clock import now
from lib.errors import InvalidInput, NotFound
from lib.hub import Hub
from lib.outgoing import destinations
from lib.outgoing.issue_handling import assign, assignees, known_assignees, mute, set_state_of
from lib.outgoing.issues import IssueFilters, get_issue, list_issues
from tests.event_factories import SMS, make_event, make_integration
from tests.factories import make_user
from tests.outgoing_factories import make_delivery, make_destination, make_issue


def _issue(hub: Hub, owner: Actor, name: str = "Warehouse") -> tuple[str, str]:
    event_id = make_event(hub, make_integration(hub, owner))
    place = make_destination(hub, owner, name)
    return make_issue(hub, make_delivery(hub, event_id, place, status="dead")), place.id


def test_the_owner_and_staff_look_after_an_issue(hub: Hub) -> None:
    ada, bob = make_user(hub), make_user(hub, "bob@example.com")
    sam = make_user(hub, "sam@example.com", "staff")
    issue_id, _ = _issue(hub, ada)
    assert assignees(hub, ada, issue_id) == {ada.id: "Ada", sam.id: "Sam"}
    assert assign(hub, ada, issue_id, sam.id).assignee == "Sam"
    assert get_issue(hub, ada, issue_id).row.assignee_id == sam.id
    assert known_assignees(hub, ada) == {sam.id: "Sam"}
    assert known_assignees(hub, bob) == {}
    with pytest.raises(InvalidInput, match="member of staff"):
        assign(hub, ada, issue_id, bob.id)
    assert assign(hub, ada, issue_id, None).assignee is None


def test_an_issue_is_muted_for_a_while(hub: Hub) -> None:
    ada = make_user(hub)
    issue_id, _ = _issue(hub, ada)
    until = mute(hub, ada, issue_id, timedelta(hours=1)).muted_until
    assert until is not None
    assert timedelta(minutes=59) < until - now() <= timedelta(hours=1)
    assert mute(hub, ada, issue_id, timedelta(0)).muted_until is None
    with pytest.raises(InvalidInput, match="30 days"):
        mute(hub, ada, issue_id, timedelta(days=31))


def test_many_issues_change_at_once_and_anothers_do_not(hub: Hub) -> None:
    ada, bob = make_user(hub), make_user(hub, "bob@example.com")
    first, _ = _issue(hub, ada)
    second, _ = _issue(hub, ada, "Second")
    others, _ = _issue(hub, bob)
    assert set_state_of(hub, ada, [first, second, others], "resolved") == 2
    assert set_state_of(hub, ada, [first], "resolved") == 0
    assert get_issue(hub, bob, others).row.state == "open"
    with pytest.raises(NotFound):
        set_state_of(hub, ada, [others], "resolved")
    with pytest.raises(InvalidInput, match="no state called"):
        set_state_of(hub, ada, [first], "gone")


def test_the_list_is_narrowed_by_each_filter(hub: Hub) -> None:
    ada = make_user(hub)
    first, place_id = _issue(hub, ada)
    second, _ = _issue(hub, ada, "Second")
    assign(hub, ada, second, ada.id)

    def ids(**narrowed: str) -> list[str]:
        return [row.id for row in list_issues(hub, ada, filters=IssueFilters(**narrowed)).rows]

    assert ids() == ids(service_name="twilio") == ids(state="open") == [second, first]
    assert ids(destination_id=place_id) == [first]
    assert ids(assignee_id=ada.id) == [second]
    assert ids(service_name="make") == ids(state="ignored") == []


def test_an_issue_names_the_first_contacts(hub: Hub) -> None:
    ada = make_user(hub)
    issue_id, _ = _issue(hub, ada)
    found = get_issue(hub, ada, issue_id)
    assert (found.contacts, found.contact_sample) == (1, (SMS["From"],))


def test_removing_a_destination_resolves_its_issues(hub: Hub) -> None:
    ada = make_user(hub)
    issue_id, place_id = _issue(hub, ada)
    destinations.remove(hub, ada, place_id, typed_name="Warehouse")
    assert get_issue(hub, ada, issue_id).row.state == "resolved"
