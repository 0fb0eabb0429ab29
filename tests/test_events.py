"""Lists and details of events, and processing one again, on both databases."""

from datetime import timedelta

import pytest

from lib.clock import now
from lib.errors import InvalidInput, NotFound
from lib.events.reading import EventFilters, get_event, list_event_types, list_events, retry_event
from lib.hub import Hub
from lib.models import WebhookEvent
from tests.event_factories import SMS, make_event, make_integration
from tests.factories import make_user


def test_pages_follow_each_other_without_a_gap(hub: Hub) -> None:
    actor = make_user(hub)
    item = make_integration(hub, actor)
    ids = [make_event(hub, item) for _ in range(5)]
    first = list_events(hub, actor, EventFilters(), limit=3)
    assert [row.id for row in first.rows] == ids[:1:-1]
    second = list_events(hub, actor, EventFilters(), cursor=first.next_cursor, limit=3)
    assert [row.id for row in second.rows] == ids[1::-1]
    assert second.next_cursor is None


def test_a_page_has_200_rows_at_most(hub: Hub) -> None:
    with pytest.raises(InvalidInput, match="1 to 200"):
        list_events(hub, make_user(hub), EventFilters(), limit=201)


def test_each_filter_narrows_the_list(hub: Hub) -> None:
    actor = make_user(hub)
    phone = make_integration(hub, actor, "Phone")
    orders = make_integration(hub, actor, "Orders", service_name="make")
    old = make_event(hub, phone, age=timedelta(days=2))
    failed = make_event(hub, phone, status="failed", event_type="call.received")
    order = make_event(hub, orders, payload={"trigger": "order.paid"})
    day_ago = now() - timedelta(days=1)
    expected = {
        EventFilters(): {old, failed, order},
        EventFilters(service_name="make"): {order},
        EventFilters(integration_id=phone.id): {old, failed},
        EventFilters(status="failed"): {failed},
        EventFilters(event_type="call.received"): {failed},
        EventFilters(since=day_ago): {failed, order},
        EventFilters(until=day_ago): {old},
        EventFilters(status="failed", service_name="make"): set(),
    }
    for filters, ids in expected.items():
        assert {row.id for row in list_events(hub, actor, filters).rows} == ids, filters


def test_a_detail_holds_everything_that_is_known(hub: Hub) -> None:
    actor = make_user(hub)
    item = make_integration(hub, actor)
    event = get_event(hub, actor, make_event(hub, item))
    assert event.payload == SMS
    assert event.headers["x-note"] == "header-words"
    assert event.verification["scheme"] == "twilio"
    assert set(event.keys) == {("phone", "+14155550123"), ("email", "grace@example.org")}
    assert (event.source_ip, event.row.integration_name) == ("203.0.113.77", "Front desk")


def test_a_failed_event_goes_back_to_the_worker(hub: Hub) -> None:
    actor = make_user(hub)
    event_id = make_event(hub, make_integration(hub, actor), status="failed")
    retry_event(hub, actor, event_id)
    with hub.database.read() as session:
        row = session.get_one(WebhookEvent, event_id)
    assert (row.status, row.attempts, row.lease_id) == ("pending", 0, None)
    with pytest.raises(InvalidInput, match="is pending"):
        retry_event(hub, actor, event_id)


def test_an_unknown_event_is_not_found(hub: Hub) -> None:
    with pytest.raises(NotFound):
        get_event(hub, make_user(hub), "evt_0")


def test_types_come_from_what_was_received(hub: Hub) -> None:
    actor = make_user(hub)
    item = make_integration(hub, actor)
    assert list_event_types(hub, actor) == []
    for event_type in ("message.received", "call.received", "message.received"):
        make_event(hub, item, event_type=event_type)
    other = make_user(hub, "bob@example.com")
    make_event(hub, make_integration(hub, other, service_name="make"), event_type="order.paid")
    assert list_event_types(hub, actor) == ["call.received", "message.received"]
    staff = make_user(hub, "eve@example.com", role="staff")
    assert list_event_types(hub, staff) == ["call.received", "message.received", "order.paid"]
