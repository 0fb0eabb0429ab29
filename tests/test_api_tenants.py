"""Another member's token finds nothing of the first's, at every operation that takes an id."""

from dataclasses import dataclass
from typing import Any

import pytest
from sqlmodel import select

from lib.hub import Hub
from lib.models import Delivery, Destination, IntegrationConfig, Replay, Route, WebhookEvent
from lib.outgoing import replays
from lib.outgoing.delivery_filters import DeliveryFilters
from lib.people.api_tokens import SCOPES
from lib.providers.base import CheckResult
from lib.providers.registry import get_provider
from tests.calling import ApiCaller, calling, make_caller, refused, use_actions
from tests.event_factories import make_event, make_integration
from tests.factories import make_user
from tests.outgoing_factories import make_delivery, make_destination, make_route
from webhook_receiver.api.catalog import OPERATIONS
from webhook_receiver.api.operations import Operation

WITH_ID = [operation for operation in OPERATIONS if "{id}" in operation.path]
WITHOUT_ID = [each for each in OPERATIONS if "{id}" not in each.path and each.method == "GET"]
OWN_ALONE = [scope for scope in SCOPES if scope not in ("admin", "all")]
TABLES = (IntegrationConfig, WebhookEvent, Destination, Route, Delivery, Replay)


@dataclass(frozen=True)
class Ground:
    """What belongs to ada, by the noun that stands before `{id}`."""

    hub: Hub
    ada: ApiCaller
    bob: ApiCaller
    ids: dict[str, str]

    def path(self, operation: Operation) -> str:
        """Return an operation's address with ada's id in it."""
        noun = operation.path.split("/")[2]
        return operation.path.format(id=self.ids[noun], action="find_contact")

    def everything(self) -> str:
        """Return all rows."""
        with self.hub.database.read() as session:
            return repr([session.exec(select(table).order_by(table.id)).all() for table in TABLES])


@pytest.fixture
def ground(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Any:
    use_actions(monkeypatch, {"id": "1"})
    with calling(hub) as ada:
        item = make_integration(hub, ada.actor)
        event_id = make_event(hub, item)
        place = make_destination(hub, ada.actor)
        dead = make_delivery(hub, event_id, place, status="dead")
        seen = replays.dry_run(hub, ada.actor, DeliveryFilters(status="dead"))
        hook = ada.post("/api/hooks", {"target_url": "https://example.com/hook"})
        ids = {
            "integrations": item.id,
            "test-integration": item.id,
            "events": event_id,
            "destinations": place.id,
            "hooks": hook["id"],
            "routes": make_route(hub, item, place).id,
            "deliveries": dead.id,
            "replays": replays.start(hub, ada.actor, seen).id,
        }
        bob = make_caller(hub, ada.client, make_user(hub, "bob@example.com"))
        yield Ground(hub, ada, bob, ids)


def body_of(operation: Operation) -> Any:
    return {} if operation.method in ("POST", "PUT") else None


@pytest.fixture(params=["member", "staff", "analyst"])
def stranger(request: pytest.FixtureRequest, ground: Ground) -> ApiCaller:
    """Someone else, whose token has every scope except the one for what is others'."""
    if request.param == "member":
        return ground.bob
    user = make_user(ground.hub, "sam@example.com", request.param)
    return make_caller(ground.hub, ground.ada.client, user, OWN_ALONE)


def test_another_finds_nothing(ground: Ground, stranger: ApiCaller) -> None:
    before, is_analyst = ground.everything(), stranger.actor.role == "analyst"
    for operation in WITH_ID:
        answer = stranger.call(operation.method, ground.path(operation), body_of(operation))
        if is_analyst and answer.status_code == 403:
            # Whoever only reads is refused before it is looked for.
            continue
        if operation.path == "/api/hooks/{id}":
            # It says the same for what never was; nothing is done.
            assert answer.status_code == 204
        else:
            refused(answer, 404)
    assert ground.everything() == before
    for operation in WITHOUT_ID:
        answer = stranger.call(operation.method, operation.path)
        if operation.path != "/api/me" and not (is_analyst and answer.status_code == 403):
            assert answer.json() == [], operation.path


@pytest.mark.parametrize("operation", WITH_ID, ids=lambda each: each.name)
def test_staff_find_it_with_the_scope_for_it(
    ground: Ground, operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = CheckResult("verified", "It works.")
    monkeypatch.setattr(type(get_provider("twilio")), "check", lambda *_: checked)
    user = make_user(ground.hub, "sam@example.com", "staff")
    scopes = [operation.scope, "admin"] if operation.scope else ["admin"]
    sam = make_caller(ground.hub, ground.ada.client, user, scopes)
    answer = sam.call(operation.method, ground.path(operation), body_of(operation))
    assert answer.status_code in (200, 201, 204), answer.text


def test_staff_change_their_own_without_it(ground: Ground) -> None:
    user = make_user(ground.hub, "sam@example.com", "staff")
    sam = make_caller(ground.hub, ground.ada.client, user, OWN_ALONE)
    assert sam.get("/api/me")["role"] == "staff"
    mine = sam.post("/api/integrations", {"service_name": "make", "name": "Mine"})
    assert [each["id"] for each in sam.get("/api/integrations")] == [mine["id"]]
    made = sam.post("/api/events", {"type": "a", "data": 1, "integration_id": mine["id"]})
    assert [each["id"] for each in sam.get("/api/events")] == [made["id"]]
    assert sam.call("DELETE", f"/api/integrations/{mine['id']}").status_code == 204


def test_what_another_names_in_a_body_is_not_found(ground: Ground) -> None:
    ids = ground.ids
    own = {"service_name": "make", "name": "Bob's"}
    bobs_item = ground.bob.post("/api/integrations", own)["id"]
    bobs_place = ground.bob.post(
        "/api/destinations", {"name": "Bob's", "kind": "http", "url": "https://example.com/bob"}
    )["id"]
    before = ground.everything()
    for path, body in (
        ("/api/events", {"type": "a", "data": 1, "integration_id": ids["integrations"]}),
        ("/api/hooks", {"target_url": "https://a.com/", "integration_id": ids["integrations"]}),
        ("/api/routes", {"integration_id": bobs_item, "destination_id": ids["destinations"]}),
        ("/api/routes", {"integration_id": ids["integrations"], "destination_id": bobs_place}),
    ):
        refused(ground.bob.call("POST", path, body), 404)
    asked = {"filter": {"ids": [ids["deliveries"]]}, "dry_run": True}
    seen = ground.bob.post("/api/replays", asked, status=200)
    assert (seen["count"], seen["left_out"]) == (0, [])
    assert ground.everything() == before


@pytest.mark.parametrize("operation", WITH_ID, ids=lambda each: each.name)
def test_the_owner_finds_it(
    ground: Ground, operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = CheckResult("verified", "It works.")
    monkeypatch.setattr(type(get_provider("twilio")), "check", lambda *_: checked)
    answer = ground.ada.call(operation.method, ground.path(operation), body_of(operation))
    assert answer.status_code in (200, 201, 204), answer.text
