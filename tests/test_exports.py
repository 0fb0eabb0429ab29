"""Lists as files: all of it, in parts, masked, tenant-safe, and safe to open."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from sqlmodel import col, select
from starlette.applications import Starlette
from starlette.testclient import TestClient

from lib.access import Actor
from lib.clock import now
from lib.errors import InvalidInput, NotAllowed
from lib.events.reading import EventFilters
from lib.hub import Hub
from lib.intake.rejections import RejectionFilters
from lib.lists.addressed_filters import delivery_filters, event_filters, rejection_filters
from lib.lists.exports import export_deliveries, export_events, export_rejections
from lib.models import AuditEntry
from lib.outgoing.delivery_filters import DeliveryFilters
from lib.people.sessions import redeem_ticket, start_session
from lib.ui import export_routes
from tests.event_factories import SMS, make_event, make_integration, make_rejection
from tests.factories import make_user
from tests.outgoing_factories import make_delivery, make_destination


def lines(parts: object) -> list[dict[str, object]]:
    return [json.loads(line) for line in "".join(parts).splitlines()]  # type: ignore[arg-type]


def test_every_row_comes_once_and_newest_first(hub: Hub) -> None:
    ada = make_user(hub)
    item = make_integration(hub, ada)
    ids = [make_event(hub, item) for _ in range(405)]
    parts = list(export_events(hub, ada, EventFilters(), "jsonl"))
    assert len(parts) == 3, "a page at a time"
    assert [row["id"] for row in lines(parts)] == ids[::-1]


def test_csv_has_one_header_and_no_formula(hub: Hub) -> None:
    ada = make_user(hub)
    item = make_integration(hub, ada, name="=HYPERLINK(1)")
    for _ in range(201):
        make_event(hub, item)
    text = "".join(export_events(hub, ada, EventFilters(), "csv"))
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 201
    assert {row["integration_name"] for row in rows} == {"'=HYPERLINK(1)"}


def test_an_event_is_exported_as_the_list_shows_it(hub: Hub) -> None:
    ada, ana = make_user(hub), make_user(hub, "ana@example.com", "analyst")
    event_id = make_event(hub, make_integration(hub, ada))
    place = make_destination(hub, ada)
    make_delivery(hub, event_id, place, status="dead", attempts=10, response_status=503)
    make_delivery(hub, event_id, place, status="delivered", attempts=1)
    (row,) = lines(export_events(hub, ada, EventFilters(status="dead"), "jsonl"))
    shown = {name: row[name] for name in ("status", "subject", "deliveries", "arrived", "attempts")}
    assert shown == {
        "status": "dead", "subject": SMS["From"], "deliveries": 2, "arrived": 1, "attempts": 11,
    }  # fmt: skip
    assert (row["destinations"], row["last_answer"]) == (place.name, 200)
    (masked,) = lines(export_events(hub, ana, EventFilters(), "jsonl"))
    assert str(masked["subject"]).startswith("c_")
    assert SMS["From"] not in json.dumps(masked)


def test_deliveries_are_exported_too_and_both_are_on_record(hub: Hub) -> None:
    ada = make_user(hub)
    delivery = make_delivery(
        hub, make_event(hub, make_integration(hub, ada)), make_destination(hub, ada), status="dead"
    )
    (row,) = lines(export_deliveries(hub, ada, DeliveryFilters(status="dead"), "jsonl"))
    assert (row["id"], row["status"]) == (delivery.id, "dead")
    list(export_events(hub, ada, EventFilters(), "csv"))
    with hub.database.read() as session:
        query = select(AuditEntry.action).where(col(AuditEntry.action).endswith(".exported"))
        assert set(session.exec(query)) == {"deliveries.exported", "events.exported"}


def test_the_record_names_the_filters_and_nobody_that_was_searched_for(hub: Hub) -> None:
    ada = make_user(hub)
    asked = EventFilters(
        status="failed",
        since=datetime(2026, 11, 3, 10, tzinfo=UTC),
        search="Grace Hopper",
        tag="patient=4711",
        expression="Body == 'ill'",
    )
    list(export_events(hub, ada, asked, "csv"))
    with hub.database.read() as session:
        query = select(AuditEntry).where(col(AuditEntry.action) == "events.exported")
        details = session.exec(query).one().details
    assert details == {
        "format": "csv",
        "status": "failed",
        "since": "2026-11-03T10:00:00+00:00",
        "search": "set, not recorded",
        "tag": "set, not recorded",
        "expression": "set, not recorded",
    }


def test_members_export_their_own_and_analysts_masked_rows(hub: Hub) -> None:
    item = make_integration(hub, make_user(hub))
    make_event(hub, item)
    eve, ana = make_user(hub, "eve@example.com"), make_user(hub, "ana@example.com", "analyst")
    assert lines(export_events(hub, eve, EventFilters(), "jsonl")) == []
    text = "".join(export_events(hub, ana, EventFilters(), "csv"))
    assert item.id in text
    assert "Grace" not in text
    assert "4155550123" not in text


def test_refused_requests_are_exported_without_what_was_sent(hub: Hub) -> None:
    ada, eve = make_user(hub), make_user(hub, "eve@example.com")
    item = make_integration(hub, ada)
    kept = make_rejection(hub, item)
    make_rejection(hub, item, age=timedelta(days=2))
    asked = rejection_filters({"range": "24h", "service": item.service_name})
    (row,) = lines(export_rejections(hub, ada, asked, "jsonl"))
    assert (row["id"], row["reason"]) == (kept, "wrong_signature")
    text = "".join(export_rejections(hub, ada, RejectionFilters(), "csv"))
    assert len(text.splitlines()) == 3
    assert "secret" not in text
    assert "headers" not in text
    until = rejection_filters({"until": f"{now() - timedelta(days=1):%Y-%m-%dT%H:%MZ}"})
    assert len(lines(export_rejections(hub, ada, until, "jsonl"))) == 1
    assert lines(export_rejections(hub, eve, RejectionFilters(), "jsonl")) == []
    with pytest.raises(NotAllowed):
        export_rejections(hub, make_user(hub, "ana@example.com", "analyst"), asked, "csv")


def test_the_address_says_the_same_as_the_screen() -> None:
    found = event_filters(
        {
            "status": "dead",
            "http": "5xx",
            "attempts": "2",
            "slower": "5",
            "verified": "no",
            "since": "2026-11-03T10:00Z",
        }
    )
    assert (found.status, found.response_status, found.min_attempts) == ("dead", "5xx", 2)
    assert (found.slower_than_seconds, found.is_verified) == (5.0, False)
    assert found.since is not None
    assert event_filters({"range": "24h", "since": "nonsense"}).until is None
    assert delivery_filters({"error": "dns"}).error_class == "dns"
    for bad in ({"since": "yesterday"}, {"until": "2026-11-03T10:00"}, {"attempts": "many"}):
        with pytest.raises(InvalidInput):
            event_filters(bad)


@pytest.fixture
def browser(sqlite_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setattr(export_routes, "get_hub", lambda: sqlite_hub)
    return TestClient(Starlette(routes=list(export_routes.ROUTES)))


def sign_in(hub: Hub, client: TestClient, actor: Actor) -> None:
    _, ticket = start_session(hub, actor, ip="local", user_agent="")
    client.cookies.set("hub_session", redeem_ticket(hub, ticket) or "")


def test_the_route_needs_a_session_of_this_site(sqlite_hub: Hub, browser: TestClient) -> None:
    ada = make_user(sqlite_hub)
    make_event(sqlite_hub, make_integration(sqlite_hub, ada))
    assert browser.get("/export/events.csv").status_code == 403
    sign_in(sqlite_hub, browser, ada)
    answer = browser.get(f"/export/events.csv?{urlencode({'status': 'success'})}")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="events.csv"'
    assert len(answer.text.splitlines()) == 2
    foreign = browser.get("/export/events.csv", headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403


def test_the_route_refuses_what_cannot_be(sqlite_hub: Hub, browser: TestClient) -> None:
    sign_in(sqlite_hub, browser, make_user(sqlite_hub))
    assert browser.get("/export/users.csv").status_code == 404
    assert browser.get("/export/events.xlsx").status_code == 404
    assert browser.get("/export/audit.csv").status_code == 403
    answer = browser.get("/export/events.csv?status=odd")
    assert answer.status_code == 400
    assert "no status called odd" in answer.text
