"""Events over the API: lists for polling, filters, pages, samples, and adding one."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from lib.clock import now
from lib.connections import integrations
from lib.events import contents as event_contents
from lib.hub import Hub
from lib.masking import HIDDEN
from lib.models import WebhookEvent
from lib.processing.batch import process_batch
from tests.calling import ApiCaller, calling, make_caller, refused
from tests.event_factories import SMS, make_event, make_integration
from tests.factories import make_user
from tests.outgoing_factories import make_destination, make_route
from tests.receiving import stored_events
from tests.test_routing import deliveries


def test_events_have_the_shape_of_live_deliveries_newest_first(hub: Hub) -> None:
    with calling(hub) as ada:
        item = make_integration(hub, ada.actor)
        ids = [make_event(hub, item) for _ in range(3)]
        found = ada.get("/api/events")
        assert [event["id"] for event in found] == ids[::-1]
        event = found[0]
        assert set(event) == {
            "id", "type", "timestamp", "service_name", "integration_id", "data", "status",
        }  # fmt: skip
        assert event["type"] == "message.received"
        assert event["data"] == SMS
        assert event["status"] == "success"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["timestamp"])
        assert ada.get(f"/api/events/{ids[0]}") == found[-1]


def test_the_list_is_narrowed(hub: Hub) -> None:
    with calling(hub) as ada:
        item = make_integration(hub, ada.actor)
        other = make_integration(hub, ada.actor, "Orders", service_name="make")
        old = make_event(hub, item, age=timedelta(days=2))
        failed = make_event(hub, item, status="failed")
        paid = make_event(hub, other, event_type="order.paid")

        def ids(query: str) -> list[str]:
            return [event["id"] for event in ada.get(f"/api/events?{query}")]

        assert ids("service=make") == [paid]
        assert ids("type=order.paid") == [paid]
        assert ids("status=failed") == [failed]
        assert ids(f"integration_id={item.id}") == [failed, old]
        since = (now() - timedelta(days=1)).isoformat()
        assert ids(f"since={quote(since)}") == [paid, failed]
        # A plus sign that a form builder did not encode.
        assert ids(f"since={since}") == [paid, failed]
        assert ids("type=nothing") == []


def test_pages_follow_each_other_by_link(hub: Hub) -> None:
    with calling(hub) as ada:
        item = make_integration(hub, ada.actor)
        ids = [make_event(hub, item) for _ in range(5)]
        seen: list[str] = []
        path = "/api/events?type=message.received&limit=2"
        pages = 0
        while path:
            answer = ada.call("GET", path)
            seen += [event["id"] for event in answer.json()]
            pages += 1
            link = re.fullmatch(
                r'<http://localhost:8000(/api/events\?\S+)>; rel="next"',
                answer.headers.get("link", ""),
            )
            path = link[1] if link else ""
        assert seen == ids[::-1]
        assert pages == 3


def test_a_page_ends_before_it_is_too_large(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_contents, "LARGEST_PAGE_BYTES", 1000)
    with calling(hub) as ada:
        item = make_integration(hub, ada.actor)
        ids = [make_event(hub, item, payload={"text": "x" * size}) for size in (10, 400, 400, 5000)]
        answers = []
        path = "/api/events"
        while path:
            answer = ada.call("GET", path)
            answers.append([event["id"] for event in answer.json()])
            path = answer.links["next"]["url"].partition(":8000")[2] if answer.links else ""
        assert answers == [[ids[3]], [ids[2], ids[1], ids[0]]]


def test_a_removed_payload_is_null(hub: Hub) -> None:
    with calling(hub) as ada:
        event_id = make_event(hub, make_integration(hub, ada.actor))
        with hub.database.write() as session:
            row = session.get_one(WebhookEvent, event_id)
            row.payload, row.payload_removed_at = b"", now()
        assert ada.get(f"/api/events/{event_id}")["data"] is None
        samples = ada.get("/api/events/samples")
        assert samples, "the service's own stand in"
        assert event_id not in [sample["id"] for sample in samples]


def test_analysts_read_masked_events(hub: Hub) -> None:
    with calling(hub, "ana@example.com", "analyst") as ana:
        event_id = make_event(hub, make_integration(hub, make_user(hub)))
        for event in (ana.get("/api/events")[0], ana.get(f"/api/events/{event_id}")):
            assert event["data"]["Body"] == HIDDEN
        assert ana.get("/api/events/samples")[0]["data"]["From"].startswith("c_")


def test_samples_have_the_keys_of_live_deliveries(hub: Hub) -> None:
    with calling(hub) as ada:
        item = make_integration(hub, ada.actor)
        assert ada.get("/api/events/samples?event=order.paid") == []
        ids = [make_event(hub, item) for _ in range(4)]
        make_event(hub, item, event_type="order.paid")
        found = ada.get("/api/events/samples?event=message.received")
        assert [sample["id"] for sample in found] == ids[:0:-1]
        assert set(found[0]) == {
            "id", "type", "timestamp", "service_name", "integration_id", "data",
        }  # fmt: skip
        assert len(ada.get("/api/events/samples?event=*&limit=5")) == 5
        assert len(ada.get("/api/events/samples?event=order.paid&limit=1")) == 1


def emit(ada: ApiCaller, item_id: str, data: Any, **headers: str) -> Any:
    body = {"type": "order.paid", "data": data, "integration_id": item_id}
    return ada.post("/api/events", body, **headers)


def test_an_added_event_is_stored_and_routed_like_a_received_one(hub: Hub) -> None:
    with calling(hub) as ada:
        item = make_integration(hub, ada.actor)
        make_route(hub, item, make_destination(hub, ada.actor))
        made = emit(ada, item.id, {"email": "grace@example.org", "total": 9.5})
        assert made["type"] == "order.paid"
        assert made["data"] == {"email": "grace@example.org", "total": 9.5}
        assert (made["status"], made["integration_id"]) == ("pending", item.id)
        (row,) = stored_events(hub)
        assert '"scheme": "api token"' in row.verification
        assert '"source": "api"' in row.verification
        assert row.source_ip == "testclient"
        assert process_batch(hub) == 1
        assert ada.get(f"/api/events/{made['id']}")["status"] == "success"
        assert [row.event_id for row in deliveries(hub)] == [made["id"]]


@pytest.mark.parametrize(
    "data", [None, 7, "text\x00", [1, 2], {"": []}, {"n": 2**70}, {"deep": [[[{"x": "ü"}]]]}]
)
def test_any_json_is_carried(hub: Hub, data: Any) -> None:
    with calling(hub) as ada:
        item = make_integration(hub, ada.actor)
        assert emit(ada, item.id, data)["data"] == data


def test_a_repeated_event_is_one_event(hub: Hub) -> None:
    with calling(hub) as ada:
        item = make_integration(hub, ada.actor)
        first = emit(ada, item.id, {"n": 1}, idempotency_key="k-1")
        assert emit(ada, item.id, {"n": 1}, idempotency_key="k-1")["id"] == first["id"]
        assert len(stored_events(hub)) == 1
        # After the kept answer is gone the event itself is still known.
        with hub.database.write() as session:
            session.connection().exec_driver_sql("DELETE FROM idempotency_keys")
        assert emit(ada, item.id, {"n": 1}, idempotency_key="k-1")["id"] == first["id"]
        with hub.database.write() as session:
            session.connection().exec_driver_sql("DELETE FROM idempotency_keys")
        assert emit(ada, item.id, {"n": 2}, idempotency_key="k-1")["id"] != first["id"]
        assert [row.duplicates for row in stored_events(hub)] == [1, 0]
        # Without a key nothing says that they are the same.
        assert emit(ada, item.id, {"n": 3})["id"] != emit(ada, item.id, {"n": 3})["id"]


def test_staff_add_an_event_for_its_member(hub: Hub) -> None:
    with calling(hub) as ada:
        item = make_integration(hub, ada.actor)
        staff = make_caller(hub, ada.client, make_user(hub, "sam@example.com", "staff"))
        made = emit(staff, item.id, {})
        assert ada.get("/api/events")[0]["id"] == made["id"]


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"type": ""}, 422, "type"),
        ({"type": "x" * 101}, 422, "type"),
        ({"type": "\x07"}, 422, "type"),
        ({"kind": "x"}, 422, "kind"),
        ({"integration_id": "int_none"}, 404, None),
    ],
)
def test_a_bad_event_is_refused(
    hub: Hub, change: dict[str, Any], status: int, field: str | None
) -> None:
    with calling(hub) as ada:
        item = make_integration(hub, ada.actor)
        body = {"type": "order.paid", "data": {}, "integration_id": item.id, **change}
        refused(ada.call("POST", "/api/events", body), status, field=field)
        integrations.remove(hub, ada.actor, item.id, typed_name=item.name)
        gone = {"type": "order.paid", "data": {}, "integration_id": item.id}
        refused(ada.call("POST", "/api/events", gone), 404)
