"""Destinations, routes, subscriptions, deliveries and replays over the API."""

from typing import Any

import pytest
from sqlmodel import select

from lib.hub import Hub
from lib.models import Destination
from lib.outgoing.replays import work_replays
from tests.calling import ApiCaller, calling, make_caller, refused
from tests.event_factories import make_event, make_integration
from tests.factories import make_user
from tests.outgoing_factories import make_attempt, make_delivery
from tests.outgoing_factories import make_destination as make_destination_row

URL = "https://example.com/hooks/s3cr3t-path-of-mine"
HTTP = {"name": "Warehouse", "kind": "http", "url": URL}
ZAP = "https://hooks.zapier.com/hooks/standard/123456/abcdef0123/"


def test_a_destination_is_added_shown_changed_and_removed(hub: Hub) -> None:
    with calling(hub) as ada:
        made = ada.post("/api/destinations", HTTP)
        assert made["id"].startswith("dst_")
        secret = made.pop("signing_secret")
        assert secret.startswith("whsec_")
        assert (made["name"], made["kind"], made["url_host"]) == (
            "Warehouse",
            "http",
            "example.com",
        )
        assert (made["status"], made["is_active"], made["rate_limit"]) == ("active", True, None)
        assert made["credentials"] == {"url": "••••mine", "signing_secret": f"••••{secret[-4:]}"}
        place = f"/api/destinations/{made['id']}"
        assert ada.get(place) == made
        assert ada.get("/api/destinations") == [made]
        assert secret not in ada.call("GET", "/api/destinations").text
        limit = {"per_second": 2.5, "per_five_minutes": 100}
        change = {"name": "Depot", "rate_limit": limit, "concurrency": 3, "is_active": False}
        changed = ada.call("PUT", place, change).json()
        assert (changed["name"], changed["rate_limit"], changed["concurrency"]) == (
            "Depot",
            limit,
            3,
        )
        assert changed["status"] == "paused"
        kept = ada.call("PUT", place, {"url": URL + "/new", "credentials": {}}).json()
        assert kept["rate_limit"] == limit
        assert kept["concurrency"] == 3
        assert kept["credentials"]["url"] == "••••/new"
        cleared = ada.call("PUT", place, {"rate_limit": None, "is_active": True}).json()
        assert (cleared["rate_limit"], cleared["status"]) == (None, "active")
        assert ada.call("DELETE", place).status_code == 204
        refused(ada.call("GET", place), 404)


def test_kinds_have_their_own_limits_and_values(sqlite_hub: Hub) -> None:
    with calling(sqlite_hub) as ada:
        body = {
            "name": "Scenario",
            "kind": "make",
            "url": "https://hook.eu1.make.com/abcdefghijklmnopqrstuvwxyz012345",
            "credentials": {"hook_api_key": "key-0123456789"},
            "rate_limit": {"per_second": 5},
        }
        made = ada.post("/api/destinations", body)
        assert made["credentials"]["hook_api_key"] == "••••6789"
        assert made["rate_limit"] == {"per_second": 5, "per_five_minutes": None}
        masked = {"credentials": made["credentials"] | {}, "rate_limit": None}
        masked["credentials"] = {"hook_api_key": made["credentials"]["hook_api_key"]}
        again = ada.call("PUT", f"/api/destinations/{made['id']}", masked).json()
        assert again["credentials"]["hook_api_key"] == "••••6789"
        assert again["rate_limit"]["per_second"] == 30


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "pigeon"}, "kind"),
        ({"url": ""}, "url"),
        ({"url": "http://127.0.0.1/x"}, "url"),
        ({"name": ""}, "name"),
        ({"rate_limit": {"per_second": 0}}, "rate_limit"),
        ({"rate_limit": {"per_minute": 5}}, "rate_limit.per_minute"),
        ({"concurrency": 0}, "concurrency"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_bad_destination_is_refused_by_name(
    sqlite_hub: Hub, change: dict[str, Any], field: str
) -> None:
    with calling(sqlite_hub) as ada:
        refused(ada.call("POST", "/api/destinations", {**HTTP, **change}), 422, field=field)


def test_a_disabled_destination_gets_another_chance(hub: Hub) -> None:
    from lib.clock import now

    with calling(hub) as ada:
        row = make_destination_row(
            hub, ada.actor, disabled_at=now(), disabled_reason="The address was given up (410)."
        )
        place = f"/api/destinations/{row.id}"
        assert ada.get(place)["status"] == "disabled"
        shown = ada.call("PUT", place, {"is_active": True}).json()
        assert (shown["status"], shown["disabled_reason"]) == ("active", None)


def test_a_route_is_added_shown_changed_and_removed(hub: Hub) -> None:
    with calling(hub) as ada:
        item = make_integration(hub, ada.actor)
        place = ada.post("/api/destinations", HTTP)
        given = {
            "integration_id": item.id,
            "event_types": ["*"],
            "filters": [],
            "mapping": None,
            "destination_id": place["id"],
        }
        made = ada.post("/api/routes", given)
        assert {name: made[name] for name in given} == given
        assert (made["name"], made["is_active"]) == ("Front desk → Warehouse", True)
        address = f"/api/routes/{made['id']}"
        assert ada.get(address) == made
        assert ada.get("/api/routes") == [made]
        assert ada.get("/api/routes?destination_id=dst_none") == []
        rows = [
            {"path": "data.From", "operator": "exists"},
            {"path": "data.Body", "operator": "in", "value": ["a", "b"]},
        ]
        change = {"event_types": ["a", "b"], "filters": rows, "mapping": "{id: id}", "name": "New"}
        changed = ada.call("PUT", address, {**change, "is_active": False}).json()
        assert changed["filters"] == rows
        assert {name: changed[name] for name in change} == change
        assert not changed["is_active"]
        kept = ada.call("PUT", address, {"mapping": None}).json()
        assert kept["mapping"] is None
        assert kept["filters"] == rows
        assert ada.call("DELETE", address).status_code == 204
        refused(ada.call("GET", address), 404)


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"integration_id": "int_none"}, 404, None),
        ({"destination_id": "dst_none"}, 404, None),
        ({"event_types": []}, 422, "event_types"),
        ({"event_types": "*"}, 422, "event_types"),
        ({"filters": [{"path": "a", "operator": "looks_like", "value": 1}]}, 422, "filters"),
        ({"filters": [{"path": "a", "op": "equals"}]}, 422, "filters.0.op"),
        ({"mapping": "{id: "}, 422, "mapping"),
    ],
)
def test_a_bad_route_is_refused_by_name(
    sqlite_hub: Hub, change: dict[str, Any], status: int, field: str | None
) -> None:
    with calling(sqlite_hub) as ada:
        item = make_integration(sqlite_hub, ada.actor)
        place = ada.post("/api/destinations", HTTP)
        body = {"integration_id": item.id, "destination_id": place["id"], **change}
        refused(ada.call("POST", "/api/routes", body), status, field=field)


def test_a_subscription_routes_every_integration_of_its_member(hub: Hub) -> None:
    with calling(hub) as ada:
        bob = make_user(hub, "bob@example.com")
        make_integration(hub, bob, "Bob's", service_name="make")
        items = [make_integration(hub, ada.actor, name) for name in ("One", "Two")]
        rows = [{"path": "data.From", "operator": "exists"}]
        made = ada.post(
            "/api/hooks", {"target_url": ZAP, "event": "message.received", "filters": rows}
        )
        assert sorted(made["integration_ids"]) == sorted(item.id for item in items)
        assert made["signing_secret"].startswith("whsec_")
        place = ada.get(f"/api/destinations/{made['id']}")
        assert place["kind"] == "zapier_hook"
        routes = ada.get("/api/routes")
        assert [route["event_types"] for route in routes] == [["message.received"]] * 2
        assert [route["filters"] for route in routes] == [rows] * 2
        # One that is added later is about all integrations too.
        later = ada.post("/api/integrations", {"service_name": "make", "name": "Later"})
        assert ada.get("/api/routes")[0]["integration_id"] == later["id"]
        # Its limits can be changed without making another thing of it.
        ada.call("PUT", f"/api/destinations/{made['id']}", {"concurrency": 2})
        assert ada.call("DELETE", f"/api/hooks/{made['id']}").status_code == 204
        assert ada.call("DELETE", f"/api/hooks/{made['id']}").status_code == 204
        assert ada.get("/api/destinations") == ada.get("/api/routes") == []


def test_a_subscription_can_name_its_integration_and_any_endpoint(hub: Hub) -> None:
    with calling(hub) as ada:
        items = [make_integration(hub, ada.actor, name) for name in ("One", "Two")]
        body = {"target_url": URL, "integration_id": items[0].id}
        made = ada.post("/api/hooks", body)
        assert (made["event"], made["integration_ids"]) == ("*", [items[0].id])
        assert ada.get(f"/api/destinations/{made['id']}")["kind"] == "http"
        make_integration(hub, ada.actor, "Later")
        assert len(ada.get("/api/routes")) == 1


def test_a_subscription_without_integrations_waits_for_the_first(hub: Hub) -> None:
    with calling(hub) as ada:
        made = ada.post("/api/hooks", {"target_url": ZAP, "event": "order.paid"})
        assert made["integration_ids"] == []
        make_integration(hub, ada.actor)
        assert len(ada.get("/api/routes")) == 1


def test_only_subscriptions_end_as_subscriptions(hub: Hub) -> None:
    with calling(hub) as ada:
        place = ada.post("/api/destinations", HTTP)
        mine = ada.post("/api/hooks", {"target_url": ZAP})
        bob = make_caller(hub, ada.client, make_user(hub, "bob@example.com"))
        for caller, hook_id in ((ada, place["id"]), (ada, "dst_none"), (bob, mine["id"])):
            assert caller.call("DELETE", f"/api/hooks/{hook_id}").status_code == 204
        assert {each["id"] for each in ada.get("/api/destinations")} == {place["id"], mine["id"]}


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"target_url": "http://127.0.0.1/x"}, 422, "target_url"),
        ({"target_url": ""}, 422, "target_url"),
        ({"target_url": None}, 422, "target_url"),
        ({"event": ""}, 422, "event"),
        ({"event": "x" * 201}, 422, "event"),
        ({"filters": [{"path": "a[", "operator": "exists"}]}, 422, "filters"),
        ({"integration_id": "int_none"}, 404, None),
        ({"hook_url": "x"}, 422, "hook_url"),
    ],
)
def test_a_bad_subscription_leaves_nothing(
    hub: Hub, change: dict[str, Any], status: int, field: str | None
) -> None:
    with calling(hub) as ada:
        make_integration(hub, ada.actor)
        body = {"target_url": ZAP, "event": "order.paid", **change}
        refused(ada.call("POST", "/api/hooks", body), status, field=field)
        with hub.database.read() as session:
            assert session.exec(select(Destination)).all() == []


def test_staff_subscribe_to_their_own_integrations_alone(hub: Hub) -> None:
    with calling(hub, "sam@example.com", "staff") as sam:
        item = make_integration(hub, make_user(hub))
        assert sam.post("/api/hooks", {"target_url": ZAP})["integration_ids"] == []
        body = {"target_url": ZAP, "integration_id": item.id}
        refused(sam.call("POST", "/api/hooks", body), 404)


@pytest.fixture
def sent(hub: Hub) -> Any:
    """A caller whose events are delivered, dead and pending."""
    with calling(hub) as ada:
        item = make_integration(hub, ada.actor)
        place = make_destination_row(hub, ada.actor)
        rows = [
            make_delivery(hub, make_event(hub, item), place, status=status)
            for status in ("delivered", "dead", "pending")
        ]
        make_attempt(hub, rows[1], outcome="dead")
        yield ada, [row.id for row in rows], place.id


def test_deliveries_are_listed_and_shown(sent: tuple[ApiCaller, list[str], str]) -> None:
    ada, ids, place_id = sent
    found = ada.get("/api/deliveries")
    assert [row["id"] for row in found] == ids[::-1]
    dead = found[1]
    assert (dead["status"], dead["attempts"], dead["next_attempt_at"]) == ("dead", 1, None)
    assert dead["last_error"] == "The other side failed with status 500."
    assert dead["destination_id"] == place_id
    in_full = ada.get(f"/api/deliveries/{ids[1]}")
    assert [each["response_status"] for each in in_full.pop("attempt_log")] == [500]
    assert in_full == dead
    for query, expected in (
        ("status=dead", [ids[1]]),
        (f"destination_id={place_id}&limit=1", [ids[2]]),
        (f"event_id={dead['event_id']}", [ids[1]]),
        ("type=message.received&service=twilio&error_class=http_5xx", [ids[1]]),
        ("since=2099-01-01T00:00:00Z", []),
    ):
        assert [row["id"] for row in ada.get(f"/api/deliveries?{query}")] == expected
    link = ada.call("GET", "/api/deliveries?limit=2").links["next"]["url"]
    assert [row["id"] for row in ada.get(link.partition(":8000")[2])] == [ids[0]]


def test_a_delivery_is_replayed(sent: tuple[ApiCaller, list[str], str]) -> None:
    ada, ids, _ = sent
    new = ada.post(f"/api/deliveries/{ids[0]}/replay")
    assert (new["origin_id"], new["status"], new["attempts"]) == (ids[0], "pending", 0)
    refused(ada.call("POST", f"/api/deliveries/{ids[2]}/replay"), 422, field="id")
    refused(ada.call("POST", "/api/deliveries/dlv_none/replay"), 404)


def test_a_replay_does_what_its_dry_run_said(
    hub: Hub, sent: tuple[ApiCaller, list[str], str]
) -> None:
    ada, ids, place_id = sent
    body = {"filter": {"destination_id": place_id}, "dry_run": True}
    seen = ada.post("/api/replays", body, status=200)
    assert seen["count"] == 2
    assert seen["destinations"] == [{"id": place_id, "name": "Warehouse", "count": 2}]
    assert [row["id"] for row in seen["sample"]] == [ids[1], ids[0]]
    assert "1 left out" in seen["left_out"][0]
    assert len(ada.get("/api/deliveries")) == 3
    order = ada.post("/api/replays", {"filter": {"destination_id": place_id}}, status=202)
    assert set(order) == {"id", "count"}
    assert order["count"] == 2
    progress = ada.get(f"/api/replays/{order['id']}")
    assert (progress["status"], progress["made"]) == ("pending", 0)
    while work_replays(hub):
        pass
    progress = ada.get(f"/api/replays/{order['id']}")
    assert (progress["status"], progress["made"], progress["gone"]) == ("done", 2, 0)
    refused(ada.call("GET", "/api/replays/rpl_none"), 404)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"filter": {"colour": "red"}}, "filter.colour"),
        ({"filter": {"status": "lost"}}, "filter.status"),
        ({"filter": {"since": "yesterday"}}, "filter.since"),
        ({"filter": {"ids": "dlv_1"}}, "filter.ids"),
        ({"filter": {"status": "cancelled"}}, "filter"),
        ({"dry_run": True}, "filter"),
        ({"filter": {}, "dry_run": "yes"}, "dry_run"),
    ],
)
def test_a_bad_replay_is_refused_by_name(sqlite_hub: Hub, body: dict[str, Any], field: str) -> None:
    with calling(sqlite_hub) as ada:
        refused(ada.call("POST", "/api/replays", body), 422, field=field)


def test_filters_take_times_and_ids(sent: tuple[ApiCaller, list[str], str]) -> None:
    ada, ids, _ = sent
    asked = {"ids": [ids[0]], "since": "2020-01-01T00:00:00Z", "until": "2099-01-01T00:00:00+02:00"}
    seen = ada.post("/api/replays", {"filter": asked, "dry_run": True}, status=200)
    assert seen["count"] == 1
