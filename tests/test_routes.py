"""Routes: what they say, whose they are, and how they are tried before they are saved."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from lib.connections import integrations
from lib.errors import InvalidInput, NotFound
from lib.events.samples import save_sample
from lib.hub import Hub
from lib.models import AuditEntry, Route, WebhookEvent
from lib.outgoing import destinations, routes
from lib.outgoing.destination_views import DestinationView
from lib.outgoing.rehearsals import count_matches, preview
from lib.outgoing.routes import RouteDraft
from tests.destination_factories import add_destination, add_route, use_targets
from tests.event_factories import SMS, make_event, make_integration
from tests.factories import make_user


@pytest.fixture(autouse=True)
def _targets(monkeypatch: pytest.MonkeyPatch) -> None:
    use_targets(monkeypatch)


def _row(hub: Hub, route_id: str) -> Route:
    with hub.database.read() as session:
        return session.get_one(Route, route_id)


def _draft(item: integrations.Integration, destination: DestinationView, **more: Any) -> RouteDraft:
    return RouteDraft(integration_id=item.id, destination_id=destination.id, **more)


def test_a_route_takes_everything_as_it_is_until_it_is_told_otherwise(hub: Hub) -> None:
    ada = make_user(hub)
    item, destination = make_integration(hub, ada), add_destination(hub, ada).destination
    route = add_route(hub, ada, item, destination)
    assert route.name == "Front desk → Warehouse"
    row = _row(hub, route.id)
    assert (row.user_id, row.event_types, row.filters, row.mapping, row.is_active) == (
        ada.id,
        ["*"],
        [],
        None,
        True,
    )


def test_a_change_replaces_what_a_route_says(hub: Hub) -> None:
    ada = make_user(hub)
    item, destination = make_integration(hub, ada), add_destination(hub, ada).destination
    other = add_destination(hub, ada, "Office").destination
    route = add_route(hub, ada, item, destination, name="Orders")
    draft = _draft(
        item,
        other,
        event_types=["message.received", " message.received ", "status"],
        filters=[{"path": "data.From", "operator": "in", "value": "+1, +2"}],
        mapping=" {id: id} ",
    )
    changed = routes.update(hub, ada, route.id, draft)
    row = _row(hub, route.id)
    assert (row.destination_id, row.name) == (other.id, "Front desk → Office")
    assert row.event_types == ["message.received", "status"]
    assert row.filters == [{"path": "data.From", "operator": "in", "value": ["+1", "+2"]}]
    assert row.mapping == changed.mapping == "{id: id}"
    assert routes.get(hub, ada, route.id) == changed


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"event_types": []}, "event_types"),
        ({"event_types": [""]}, "event_types"),
        ({"event_types": "abc"}, "event_types"),
        ({"event_types": [1]}, "event_types"),
        ({"event_types": [f"t{n}" for n in range(51)]}, "event_types"),
        ({"filters": [{"path": "length(data)", "operator": "exists"}]}, "filters"),
        ({"mapping": "{id: id"}, "mapping"),
        ({"name": "x" * 171}, "name"),
    ],
)
def test_a_bad_value_names_its_field(sqlite_hub: Hub, change: dict[str, Any], field: str) -> None:
    ada = make_user(sqlite_hub)
    item = make_integration(sqlite_hub, ada)
    destination = add_destination(sqlite_hub, ada).destination
    with pytest.raises(InvalidInput) as caught:
        add_route(sqlite_hub, ada, item, destination, **change)
    assert caught.value.field == field
    route = add_route(sqlite_hub, ada, item, destination)
    with pytest.raises(InvalidInput):
        routes.update(sqlite_hub, ada, route.id, _draft(item, destination, **change))
    assert _row(sqlite_hub, route.id).event_types == ["*"]


def test_a_star_beside_names_means_all(hub: Hub) -> None:
    ada = make_user(hub)
    item, destination = make_integration(hub, ada), add_destination(hub, ada).destination
    route = add_route(hub, ada, item, destination, event_types=["status", "*"])
    assert _row(hub, route.id).event_types == ["*"]


def test_no_route_leads_from_one_member_to_another(hub: Hub) -> None:
    ada, bob = make_user(hub), make_user(hub, "bob@example.com")
    staff = make_user(hub, "sam@example.com", "staff")
    item, destination = make_integration(hub, ada), add_destination(hub, ada).destination
    others_item, others = make_integration(hub, bob), add_destination(hub, bob).destination
    for actor, draft in (
        (ada, _draft(item, others)),
        (ada, _draft(others_item, destination)),
        (bob, _draft(item, others)),
    ):
        with pytest.raises(NotFound):
            routes.add(hub, actor, draft)
    for draft in (_draft(item, others), _draft(others_item, destination)):
        with pytest.raises(InvalidInput, match="another member"):
            routes.add(hub, staff, draft)
    route = routes.add(hub, staff, _draft(item, destination))
    assert route.user_id == ada.id
    with pytest.raises(InvalidInput, match="another member"):
        routes.update(hub, staff, route.id, _draft(others_item, others))
    assert [each.id for each in routes.list_all(hub, ada).rows] == [route.id]
    assert routes.list_all(hub, bob).rows == []


def test_a_pause_a_resume_and_a_removal_are_on_record(hub: Hub) -> None:
    ada = make_user(hub)
    item, destination = make_integration(hub, ada), add_destination(hub, ada).destination
    secret = "data.Body == 'a private word'"
    route = add_route(hub, ada, item, destination, mapping=secret)
    assert not routes.pause(hub, ada, route.id).is_active
    assert routes.resume(hub, ada, route.id).is_active
    routes.remove(hub, ada, route.id)
    assert _row(hub, route.id).deleted_at is not None
    with pytest.raises(NotFound):
        routes.get(hub, ada, route.id)
    with hub.database.read() as session:
        entries = session.exec(select(AuditEntry).where(AuditEntry.object_id == route.id)).all()
    actions = {"route.added", "route.paused", "route.resumed", "route.removed"}
    assert {entry.action for entry in entries} == actions
    assert "private" not in repr(entries)
    assert "private" not in repr(route)


def test_a_route_goes_with_its_ends(hub: Hub) -> None:
    ada = make_user(hub)
    item, destination = make_integration(hub, ada), add_destination(hub, ada).destination
    other = add_destination(hub, ada, "Office").destination
    first = add_route(hub, ada, item, destination)
    second = add_route(hub, ada, item, other)
    destinations.remove(hub, ada, other.id, typed_name="Office")
    assert [route.id for route in routes.list_all(hub, ada).rows] == [first.id]
    with pytest.raises(NotFound):
        routes.resume(hub, ada, second.id)
    integrations.remove(hub, ada, item.id, typed_name=item.name)
    assert routes.list_all(hub, ada).rows == []


def test_routes_are_paged_by_key_and_narrowed_to_a_destination(hub: Hub) -> None:
    ada = make_user(hub)
    item, destination = make_integration(hub, ada), add_destination(hub, ada).destination
    other = add_destination(hub, ada, "Office").destination
    ids = [add_route(hub, ada, item, each).id for each in (destination, other, destination)]
    page = routes.list_all(hub, ada, limit=2)
    assert [route.id for route in page.rows] == ids[:0:-1]
    rest = routes.list_all(hub, ada, limit=2, cursor=page.next_cursor)
    assert ([route.id for route in rest.rows], rest.next_cursor) == (ids[:1], None)
    narrowed = routes.list_all(hub, ada, destination_id=other.id)
    assert [route.id for route in narrowed.rows] == [ids[1]]


def test_the_last_hundred_events_are_counted(hub: Hub) -> None:
    ada = make_user(hub)
    item, destination = make_integration(hub, ada), add_destination(hub, ada).destination
    make_event(hub, item, payload={"From": "+44"}, event_type="old")
    for number in range(100):
        make_event(hub, item, payload={"n": number}, event_type="even" if number % 2 else "odd")
    filters = [{"path": "data.n", "operator": "less_than", "value": 10}]
    for change, matched in (
        ({}, 100),
        ({"filters": filters}, 10),
        ({"filters": filters, "event_types": ["even"]}, 5),
        ({"event_types": ["old"]}, 0),
    ):
        found = count_matches(hub, ada, _draft(item, destination, **change))
        assert (found.matched, found.looked_at) == (matched, 100)


def test_a_preview_shows_the_newest_event_that_is_taken(hub: Hub) -> None:
    ada = make_user(hub)
    item, destination = make_integration(hub, ada), add_destination(hub, ada).destination
    assert preview(hub, ada, _draft(item, destination)) is None
    wanted = make_event(hub, item, payload={"n": 1}, age=timedelta(minutes=2))
    newer = make_event(hub, item, payload={"n": 2})
    newest = make_event(hub, item, payload={"n": 3}, event_type="status")
    filters = [{"path": "data.n", "operator": "equals", "value": "1"}]
    for change, event_id, is_taken in (
        ({"filters": filters}, wanted, True),
        ({"event_types": ["message.received"]}, newer, True),
        ({"event_types": ["message.received"], "filters": filters}, wanted, True),
        ({"event_types": ["never"]}, newest, False),
    ):
        shown = preview(hub, ada, _draft(item, destination, **change))
        assert shown is not None
        assert (shown.event_id, shown.is_taken) == (event_id, is_taken)
    chosen = preview(hub, ada, _draft(item, destination, mapping="data.n"), event_id=newer)
    assert chosen is not None
    assert (chosen.envelope["data"], chosen.result, chosen.error) == ({"n": 2}, 2, None)


def test_a_draft_is_tried_on_a_saved_sample_of_its_service(hub: Hub) -> None:
    ada = make_user(hub)
    item, destination = make_integration(hub, ada), add_destination(hub, ada).destination
    kept = save_sample(hub, ada, make_event(hub, item, payload={"n": 7}), name="Seven")
    refusing = [{"path": "data.n", "operator": "equals", "value": "8"}]
    draft = _draft(item, destination, mapping="data.n", filters=refusing)
    shown = preview(hub, ada, draft, event_id=kept.id)
    assert shown is not None
    assert (shown.event_id, shown.result, shown.is_taken) == (kept.id, 7, False)
    assert shown.envelope["integration_id"] == item.id
    bob = make_user(hub, "bob@example.com")
    foreign = _draft(make_integration(hub, bob), add_destination(hub, bob).destination)
    with pytest.raises(NotFound, match="no such sample"):
        preview(hub, bob, foreign, event_id=kept.id)
    other = make_integration(hub, ada, service_name="make")
    with pytest.raises(InvalidInput, match="of another service"):
        preview(hub, ada, _draft(other, destination), event_id=kept.id)


def test_a_preview_says_what_is_wrong_with_the_mapping(hub: Hub) -> None:
    ada = make_user(hub)
    item, destination = make_integration(hub, ada), add_destination(hub, ada).destination
    make_event(hub, item)
    for mapping, why in (("{id", "ends too early"), ("data.none", "yields nothing")):
        shown = preview(hub, ada, _draft(item, destination, mapping=mapping))
        assert shown is not None
        assert (shown.result, why in (shown.error or "")) == (None, True)
        assert SMS["Body"] not in repr(shown)
    with pytest.raises(InvalidInput) as caught:
        preview(hub, ada, _draft(item, destination, filters=[{"path": ""}]))
    assert caught.value.field == "filters"


def test_a_preview_takes_no_event_of_another_and_none_that_is_emptied(hub: Hub) -> None:
    ada, bob = make_user(hub), make_user(hub, "bob@example.com")
    item, destination = make_integration(hub, ada), add_destination(hub, ada).destination
    others_event = make_event(hub, make_integration(hub, bob))
    draft = _draft(item, destination)
    with pytest.raises(NotFound):
        preview(hub, ada, draft, event_id=others_event)
    event_id = make_event(hub, item)
    with hub.database.write() as session:
        row = session.get_one(WebhookEvent, event_id)
        row.payload, row.payload_removed_at = b"", row.created_at
    with pytest.raises(InvalidInput, match="has been removed"):
        preview(hub, ada, draft, event_id=event_id)
    assert preview(hub, ada, draft) is None
