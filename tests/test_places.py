"""Ids lead to the screens that show them, for those who may see them."""

import pytest

from lib.hub import Hub
from lib.lists.places import Place, find_place
from tests.event_factories import make_event, make_integration
from tests.factories import make_user
from tests.outgoing_factories import make_delivery, make_destination, make_issue


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


def test_an_analyst_finds_events_and_no_screens_of_others(hub: Hub) -> None:
    ada = make_user(hub)
    item = make_integration(hub, ada)
    ana = make_user(hub, "ana@example.com", "analyst")
    assert find_place(hub, ana, make_event(hub, item)) is not None
    assert find_place(hub, ana, item.id) is None


@pytest.mark.parametrize("text", ["", "evt_unknown", "+1 415 555 0123", "ada@example.com", "odd_1"])
def test_anything_else_is_not_a_place(sqlite_hub: Hub, text: str) -> None:
    assert find_place(sqlite_hub, make_user(sqlite_hub), text) is None
