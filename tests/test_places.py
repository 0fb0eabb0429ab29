"""Ids lead to the screens that show them, for those who may see them."""

import pytest

from lib.hub import Hub
from lib.lists.places import MOST_NAMED, Place, find_named, find_place
from tests.event_factories import make_event, make_integration, make_rejection
from tests.factories import make_user
from tests.outgoing_factories import make_delivery, make_destination, make_issue, make_route


def test_an_id_leads_to_its_screen(hub: Hub) -> None:
    ada = make_user(hub)
    item, target = make_integration(hub, ada), make_destination(hub, ada)
    event_id = make_event(hub, item)
    dead = make_delivery(hub, event_id, target, status="dead")
    issue_id = make_issue(hub, dead)
    for object_id, page, query in (
        (event_id, "activity", {"event": event_id}),
        (dead.id, "activity", {"event": event_id}),
        (issue_id, "issues", {"open": issue_id}),
        (item.id, "integrations", {"open": item.id}),
        (target.id, "webhooks", {"open": target.id}),
    ):
        assert find_place(hub, ada, object_id) == Place(page, query)
        assert find_place(hub, make_user(hub, f"{object_id}@x.com"), object_id) is None
        assert find_place(hub, make_user(hub, f"s{object_id}@x.com", "staff"), object_id)


def test_a_refused_request_and_a_user_have_their_screens(hub: Hub) -> None:
    ada, sam = make_user(hub), make_user(hub, "sam@example.com", "staff")
    refused = make_rejection(hub, make_integration(hub, ada))
    shown = Place("rejected", {"examine": refused})
    assert find_place(hub, ada, refused) == find_place(hub, sam, refused) == shown
    assert find_place(hub, make_user(hub, "eve@example.com"), refused) is None
    assert find_place(hub, sam, ada.id) == Place("users", {"q": "ada@example.com"})
    assert find_place(hub, ada, sam.id) is None
    assert find_place(hub, ada, ada.id) is None


def test_a_part_of_a_name_leads_to_what_has_it(hub: Hub) -> None:
    ada, sam = make_user(hub), make_user(hub, "sam@example.com", "staff")
    item, place = make_integration(hub, ada, "Front desk"), make_destination(hub, ada, "Desk 50%")
    route = make_route(hub, item, place)
    found = find_named(hub, ada, " DESK ")
    assert [(each.kind, each.name) for each in found[:2]] == [
        ("integration", "Front desk"),
        ("destination", "Desk 50%"),
    ]
    assert found[0].place == Place("integrations", {"open": item.id})
    assert found == find_named(hub, sam, "desk")
    assert [each.kind for each in find_named(hub, ada, "50%")] == ["destination"]
    assert find_named(hub, ada, "5_%") == []
    assert find_named(hub, ada, "d") == []
    assert [each.place for each in find_named(hub, sam, "ada@")] == [
        Place("users", {"q": "ada@example.com"})
    ]
    assert find_named(hub, ada, "ada@") == []
    for other in ("eve@example.com", "analyst"), ("ina@example.com", "member"):
        assert find_named(hub, make_user(hub, *other), "desk") == []
    assert route


def test_few_of_each_kind_are_named(sqlite_hub: Hub) -> None:
    ada = make_user(sqlite_hub)
    for number in range(MOST_NAMED + 2):
        make_integration(sqlite_hub, ada, f"Desk {number}")
    names = [each.name for each in find_named(sqlite_hub, ada, "desk")]
    assert names == [f"Desk {number}" for number in range(MOST_NAMED)]


def test_an_analyst_finds_events_and_no_screens_of_others(hub: Hub) -> None:
    ada = make_user(hub)
    item = make_integration(hub, ada)
    ana = make_user(hub, "ana@example.com", "analyst")
    assert find_place(hub, ana, make_event(hub, item)) is not None
    assert find_place(hub, ana, item.id) is None


@pytest.mark.parametrize("text", ["", "evt_unknown", "+1 415 555 0123", "ada@example.com", "odd_1"])
def test_anything_else_is_not_a_place(sqlite_hub: Hub, text: str) -> None:
    assert find_place(sqlite_hub, make_user(sqlite_hub), text) is None
