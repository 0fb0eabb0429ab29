"""Integrations over the API: shapes, write-only secrets, tests at the vendor, actions."""

import json
from typing import Any

import pytest

from lib.connections import integrations
from lib.errors import InvalidInput, ProviderError
from lib.hub import Hub
from lib.providers.base import CheckResult
from lib.providers.registry import get_provider
from tests.calling import calling, refused, use_actions
from tests.event_factories import SID, TOKEN

TWILIO = {
    "service_name": "twilio",
    "name": "Front desk",
    "config_data": {"account_sid": SID, "from_number": "+14155550142"},
    "credentials": {"auth_token": TOKEN},
}


def test_an_integration_is_added_shown_changed_and_removed(hub: Hub) -> None:
    with calling(hub) as ada:
        made = ada.post("/api/integrations", TWILIO)
        assert made["id"].startswith("int_")
        assert made["service_name"] == "twilio"
        assert made["config_data"] == TWILIO["config_data"]
        assert made["credentials"] == {"auth_token": f"••••{TOKEN[-4:]}"}
        assert made["webhook_url"].startswith("http://localhost:8000/api/webhooks/twilio/")
        assert (made["is_active"], made["status"]) == (True, "untested")
        assert made["created_at"].endswith("Z")
        assert "inbound_secret" not in made
        assert ada.get("/api/integrations") == [made]
        place = f"/api/integrations/{made['id']}"
        assert ada.get(place) == made
        changed = ada.call("PUT", place, {"name": "Back office", "is_active": False}).json()
        assert (changed["name"], changed["is_active"]) == ("Back office", False)
        assert changed["config_data"] == made["config_data"]
        assert ada.call("DELETE", place).status_code == 204
        refused(ada.call("GET", place), 404)
        refused(ada.call("DELETE", place), 404)
        assert ada.get("/api/integrations") == []


def test_an_issued_secret_is_shown_once(hub: Hub) -> None:
    with calling(hub) as ada:
        made = ada.post("/api/integrations", {"service_name": "make", "name": "Orders"})
        secret = made["inbound_secret"]
        assert made["credentials"]["inbound_secret"] == f"••••{secret[-4:]}"
        shown = ada.get(f"/api/integrations/{made['id']}")
        assert "inbound_secret" not in shown
        assert secret not in json.dumps(shown)


def test_a_document_can_be_sent_back_as_it_came(hub: Hub) -> None:
    """The masks of secrets are not taken for new secrets."""
    with calling(hub) as ada:
        made = ada.post("/api/integrations", TWILIO)
        place = f"/api/integrations/{made['id']}"
        kept = {name: made[name] for name in ("name", "config_data", "credentials", "is_active")}
        again = ada.call("PUT", place, kept).json()
        assert again["credentials"] == made["credentials"]
        new = {"credentials": {"auth_token": "a" * 28 + "1234"}}
        assert ada.call("PUT", place, new).json()["credentials"] == {"auth_token": "••••1234"}
        fewer = ada.call("PUT", place, {"config_data": {"account_sid": SID}}).json()
        assert fewer["config_data"] == {"account_sid": SID}
        assert fewer["credentials"] == {"auth_token": "••••1234"}


def test_no_read_shows_a_secret(hub: Hub) -> None:
    with calling(hub) as ada:
        made = ada.post("/api/integrations", TWILIO)
        for path in ("/api/integrations", f"/api/integrations/{made['id']}"):
            assert TOKEN not in ada.call("GET", path).text


def test_a_value_is_given_once(sqlite_hub: Hub) -> None:
    with calling(sqlite_hub) as ada:
        both = {**TWILIO, "config_data": {"account_sid": SID, "auth_token": TOKEN}}
        refused(ada.call("POST", "/api/integrations", both), 422, field="auth_token")


def test_it_is_added_paused_where_asked(sqlite_hub: Hub) -> None:
    with calling(sqlite_hub) as ada:
        made = ada.post("/api/integrations", {**TWILIO, "is_active": False})
        assert not made["is_active"]


def test_the_check_is_truthful(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = CheckResult("accepted", "Nothing refused it.")
    monkeypatch.setattr(type(get_provider("twilio")), "check", lambda *_: answer)
    with calling(hub) as ada:
        made = ada.post("/api/integrations", TWILIO)
        check = ada.post(f"/api/test-integration/{made['id']}", status=200)
        assert (check["outcome"], check["message"]) == ("accepted", "Nothing refused it.")
        assert check["checked_at"].endswith("Z")
        # Zapier and Make send an empty object where there is nothing to send.
        ada.post(f"/api/test-integration/{made['id']}", {}, status=200)
        shown = ada.get(f"/api/integrations/{made['id']}")
        assert (shown["status"], shown["checked_at"] is None) == ("accepted", False)


@pytest.fixture
def place(sqlite_hub: Hub) -> Any:
    """A caller with an integration, and the address of its actions."""
    with calling(sqlite_hub) as ada:
        item = integrations.list_all(sqlite_hub, ada.actor)
        assert item == []
        made = ada.post("/api/integrations", TWILIO)
        yield ada, f"/api/integrations/{made['id']}/actions"


def test_actions_are_listed_with_the_shape_of_their_input(
    place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, address = place
    use_actions(monkeypatch)
    (action,) = ada.get(address)
    assert (action["id"], action["name"], action["effect"]) == (
        "find_contact",
        "Find a contact",
        "read",
    )
    assert action["input_schema"]["properties"] == {"email": {"type": "string"}}


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        ({"id": "con_1", "name": "Grace"}, {"id": "con_1", "name": "Grace"}),
        ({"sid": "SM1"}, {"sid": "SM1", "id": "SM1"}),
        ([], []),
        ([{"id": 2}, {"id": 1}], [{"id": 2}, {"id": 1}]),
    ],
)
def test_an_action_answers_as_zapier_takes_it(
    place: Any, monkeypatch: pytest.MonkeyPatch, result: Any, answer: Any
) -> None:
    ada, address = place
    double = use_actions(monkeypatch, result)
    got = ada.post(f"{address}/find_contact", {"email": "grace@example.org"}, status=200)
    assert got == answer
    assert double.given == [("find_contact", {"email": "grace@example.org"})]


def test_an_answer_without_an_id_gets_one(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, address = place
    use_actions(monkeypatch, {"ok": True})
    got = ada.post(f"{address}/find_contact", {}, status=200)
    assert got["ok"]
    assert got["id"].startswith("act_")
    use_actions(monkeypatch, "queued")
    assert ada.post(f"{address}/find_contact", {}, status=200)["result"] == "queued"


def test_an_action_happens_once_under_one_key(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, address = place
    double = use_actions(monkeypatch, {"id": "1"})
    for _ in range(2):
        ada.post(f"{address}/find_contact", {"a": 1}, status=200, idempotency_key="k")
    assert len(double.given) == 1


def test_what_the_service_refuses_is_no_success(
    place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, address = place
    for error, status, field in (
        (ProviderError("The number is wrong. Mend it.", permanent=True, status=400), 422, None),
        (ProviderError("It does not answer. Wait a bit.", permanent=False), 502, None),
        (InvalidInput("Give an e-mail address.", field="email"), 422, "email"),
    ):
        use_actions(monkeypatch, error)
        refused(ada.call("POST", f"{address}/find_contact", {}), status, field=field)
    refused(ada.call("POST", f"{address}/nothing", {}), 404)
    refused(ada.call("POST", f"{address}/find_contact", [1]), 422)
