"""What every operation of the API shares: who calls, how often, in what form, and once."""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlmodel import select
from starlette.testclient import TestClient

from lib import idempotency
from lib.clock import now
from lib.connections import integrations
from lib.errors import (
    InvalidInput,
    ProviderError,
    RateLimited,
    SecretUnreadable,
    StorageUnavailable,
)
from lib.hub import Hub
from lib.idempotency import KeptAnswer, StillUnderWay
from lib.models import ApiToken, AuditEntry, IdempotencyKey, IntegrationConfig, WebhookEvent
from lib.people import api_tokens, users
from lib.vault.seals import Vault
from tests.calling import ApiCaller, calling, make_caller, refused, use_actions
from tests.event_factories import make_event, make_integration
from tests.factories import make_user
from tests.networks import LOOPBACK, NOTHING
from tests.receiving import trusting
from webhook_receiver.api.catalog import OPERATIONS
from webhook_receiver.api.problems import refusal_of
from webhook_receiver.api.reading import encode
from webhook_receiver.app import create_app

MAKE = {"service_name": "make", "name": "Orders"}


def fill(path: str) -> str:
    return path.format(id="int_none", action="nothing")


def test_every_operation_asks_for_a_token(sqlite_hub: Hub) -> None:
    with calling(sqlite_hub) as ada:
        for operation in OPERATIONS:
            for headers in ({}, {"authorization": "Bearer hub_unknown"}, {"x-api-key": "hub_no"}):
                answer = ada.client.request(operation.method, fill(operation.path), headers=headers)
                refused(answer, 401)
                assert answer.headers["www-authenticate"].startswith("Bearer realm=")


def test_both_headers_carry_a_token(hub: Hub) -> None:
    with calling(hub) as ada:
        for headers in (
            {"authorization": f"Bearer {ada.secret}"},
            {"authorization": f"bearer  {ada.secret} "},
            {"x-api-key": ada.secret},
            {"authorization": "Basic YTpi", "x-api-key": ada.secret},
        ):
            answer = ada.client.get("/api/me", headers=headers)
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "application/json"
            assert answer.json()["email"] == "ada@example.com"
        refused(ada.client.get("/api/me", headers={"authorization": "Bearer " + "x" * 300}), 401)


def test_me_shows_the_token_and_no_more_of_it(sqlite_hub: Hub) -> None:
    with calling(sqlite_hub) as ada:
        caller = make_caller(sqlite_hub, ada.client, ada.actor, ["read:events", "replay"])
        me = caller.get("/api/me")
        assert me["token"]["scopes"] == ["read:events", "replay"]
        assert me["token"]["last4"] == caller.secret[-4:]
        assert caller.secret not in json.dumps(me)
        assert me["role"] == "member"


def test_ended_tokens_and_disabled_users_are_refused(hub: Hub) -> None:
    staff = make_user(hub, "sam@example.com", "staff")
    with calling(hub) as ada:
        short = api_tokens.create(hub, ada.actor, name="Short", scopes=["all"], days=1)
        with time_machine.travel(now() + timedelta(days=2)):
            refused(
                ada.client.get("/api/me", headers={"authorization": f"Bearer {short.secret}"}), 401
            )
        api_tokens.revoke(hub, ada.actor, api_tokens.list_tokens(hub, ada.actor)[0].id)
        users.set_active(hub, staff, user_id=ada.actor.id, is_active=False)
        assert "revoked" in refused(ada.call("GET", "/api/me"), 401)


@pytest.mark.parametrize(
    "operation", [each for each in OPERATIONS if each.scope], ids=lambda each: each.name
)
def test_a_token_without_the_scope_is_refused(
    sqlite_hub: Hub, operation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_actions(monkeypatch)
    others = [scope for scope in api_tokens.SCOPES if scope not in (operation.scope, "all")]
    with calling(sqlite_hub) as ada:
        caller = make_caller(sqlite_hub, ada.client, ada.actor, others)
        answer = caller.call(operation.method, fill(operation.path), {})
        assert operation.scope in refused(answer, 403)
        assert f'scope="{operation.scope}"' in answer.headers["www-authenticate"]
        exact = make_caller(sqlite_hub, ada.client, ada.actor, [operation.scope])
        assert exact.call(operation.method, fill(operation.path), {}).status_code not in (401, 403)


def test_a_token_reaches_no_further_than_its_role(hub: Hub) -> None:
    with calling(hub, "ana@example.com", "analyst") as ana:
        refused(ana.call("POST", "/api/integrations", MAKE), 403)
        refused(ana.call("POST", "/api/hooks", {"target_url": "https://example.com/x"}), 403)
        refused(ana.call("GET", "/api/routes"), 403)
        assert ana.get("/api/events") == []


def test_the_last_use_is_noted_after_the_answer(hub: Hub) -> None:
    with calling(hub) as ada:
        ada.get("/api/me")
        with hub.database.read() as session:
            first = session.exec(select(ApiToken.last_used_at)).one()
        assert first is not None
        ada.get("/api/me")
        with hub.database.read() as session:
            assert session.exec(select(ApiToken.last_used_at)).one() == first


def test_too_many_requests_of_a_token_wait(sqlite_hub: Hub) -> None:
    with calling(sqlite_hub, api_requests_per_minute=3) as ada:
        for _ in range(3):
            ada.get("/api/me")
        answer = ada.call("GET", "/api/me")
        refused(answer, 429)
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        other = make_caller(sqlite_hub, ada.client, ada.actor)
        other.get("/api/me")


def test_too_many_requests_of_an_address_wait(sqlite_hub: Hub) -> None:
    with calling(sqlite_hub, api_requests_per_minute=1) as ada:
        for _ in range(4):
            refused(ada.client.get("/api/me"), 401)
        answer = ada.client.get("/api/me")
        assert "address" in refused(answer, 429)
        assert int(answer.headers["retry-after"]) >= 1


def test_unknown_addresses_and_methods_are_problems(sqlite_hub: Hub) -> None:
    with calling(sqlite_hub) as ada:
        for path in ("/api", "/api/", "/api/nothing", "/api/events/", "/api/webhooks/a/b/c"):
            refused(ada.call("GET", path), 404)
        refused(ada.call("GET", "/api/events/evt_none"), 404)
        refused(ada.call("GET", "/api/events/%00"), 404)
        answer = ada.call("PATCH", "/api/integrations/int_none")
        assert "GET, PUT, DELETE" in refused(answer, 405)
        assert answer.headers["allow"] == "GET, PUT, DELETE, HEAD, OPTIONS"
        assert refused(ada.call("PUT", "/api/webhooks/make/token"), 405)
        options = ada.client.options("/api/hooks")
        assert (options.status_code, options.headers["allow"]) == (204, "POST, OPTIONS")
        head = ada.call("HEAD", "/api/me")
        assert (head.status_code, head.content) == (200, b"")


def test_only_json_bodies_are_read(sqlite_hub: Hub) -> None:
    with calling(sqlite_hub, max_body_bytes=1000) as ada:
        url, known = "/api/integrations", {"authorization": f"Bearer {ada.secret}"}
        form = ada.client.post(url, data={"name": "x"}, headers=known)
        refused(form, 415)
        refused(ada.client.post(url, content=b"{", headers=known), 400)
        refused(ada.client.post(url, content=b"", headers=known), 400)
        refused(ada.client.post(url, content=b"[1]", headers=known), 422)
        refused(ada.client.post(url, content=b"{}" + b" " * 1000, headers=known), 413)
        refused(ada.client.post(url, content=b'{"a":' * 190, headers=known), 400)
        # Make sends no Accept, and scripts forget the type.
        del ada.client.headers["accept"]
        bare = ada.client.post(url, content=json.dumps(MAKE).encode(), headers=known)
        assert bare.status_code == 201
        assert bare.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"service_name": "make", "nmae": "x"}, "nmae"),
        ({"service_name": "make"}, "name"),
        ({"service_name": "make", "name": 7}, "name"),
        ({"service_name": "make", "name": None}, "name"),
        ({"service_name": "make", "name": "x", "is_active": "yes"}, "is_active"),
        ({"service_name": "make", "name": "x", "config_data": {"zone": 1}}, "config_data.zone"),
        ({"service_name": "make", "name": "x", "config_data": {"zome": "eu1"}}, "zome"),
        ({"service_name": "nothing", "name": "x"}, "service_name"),
        ({"service_name": "make", "name": "a\x00b"}, "name"),
        ({"service_name": "make", "name": "x", "credentials": {"\x00": "x"}}, "credentials"),
        ({"service_name": "make", "name": " "}, "name"),
    ],
)
def test_bad_fields_are_refused_by_name(hub: Hub, body: dict[str, Any], field: str) -> None:
    with calling(hub) as ada:
        answer = ada.call("POST", "/api/integrations", body)
        refused(answer, 422, field=field)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=many", "limit"),
        ("types=x", "types"),
        ("since=yesterday", "since"),
        ("since=2026-01-01T00:00:00", "since"),
        ("status=lost", "status"),
        ("cursor=%00", "cursor"),
    ],
)
def test_bad_queries_are_refused_by_name(sqlite_hub: Hub, query: str, field: str) -> None:
    with calling(sqlite_hub) as ada:
        refused(ada.call("GET", f"/api/events?{query}"), 422, field=field)
        # What is left blank in a form counts as left out.
        assert ada.get("/api/events?status=&since=&service=&cursor=") == []


def test_no_secret_is_repeated_in_a_refusal(sqlite_hub: Hub) -> None:
    secret = "hunter2-hunter2-hunter2"
    with calling(sqlite_hub) as ada:
        for body in (
            {**MAKE, "credentials": {"api_token": [secret]}},
            {**MAKE, "credentials": secret},
            {**MAKE, "credentials": {"hook_url": f"ftp://{secret}"}},
        ):
            assert secret not in ada.call("POST", "/api/integrations", body).text


def test_a_repeated_creation_happens_once(hub: Hub) -> None:
    with calling(hub) as ada:
        first = ada.call("POST", "/api/integrations", MAKE, idempotency_key="key-1")
        again = ada.call("POST", "/api/integrations", MAKE, idempotency_key="key-1")
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json() == again.json()
        assert first.json()["inbound_secret"]
        assert "idempotency-replayed" not in first.headers
        assert again.headers["idempotency-replayed"] == "true"
        assert again.headers["content-type"] == "application/json"
        assert len(ada.get("/api/integrations")) == 1
        with hub.database.read() as session:
            row = session.exec(select(IdempotencyKey)).one()
        assert first.json()["inbound_secret"].encode() not in row.body
        bob = make_caller(hub, ada.client, make_user(hub, "bob@example.com"))
        mine = bob.post("/api/integrations", MAKE, idempotency_key="key-1")
        assert mine["id"] != first.json()["id"]


def test_a_key_stands_for_one_request(hub: Hub) -> None:
    with calling(hub) as ada:
        ada.post("/api/integrations", MAKE, idempotency_key="key-1")
        other = {**MAKE, "name": "Other"}
        answer = ada.call("POST", "/api/integrations", other, idempotency_key="key-1")
        refused(answer, 422, field="Idempotency-Key")
        answer = ada.call("POST", "/api/replays", MAKE, idempotency_key="key-1")
        assert answer.status_code == 422
        refused(
            ada.call("POST", "/api/integrations", MAKE, idempotency_key="two words"),
            422,
            field="Idempotency-Key",
        )
        with time_machine.travel(now() + timedelta(hours=25)):
            new = ada.post("/api/integrations", other, idempotency_key="key-1")
            assert new["name"] == "Other"


def test_the_key_of_a_failed_request_is_free_again(hub: Hub) -> None:
    with calling(hub) as ada:
        bad = {"service_name": "nothing", "name": "x"}
        refused(
            ada.call("POST", "/api/integrations", bad, idempotency_key="key-1"),
            422,
            field="service_name",
        )
        ada.post("/api/integrations", MAKE, idempotency_key="key-1")


def test_old_keys_are_forgotten_by_whatever_is_called(hub: Hub) -> None:
    with calling(hub) as ada:
        ada.post("/api/integrations", MAKE, idempotency_key="key-1")
        for hours, left in ((23, 1), (25, 0)):
            with time_machine.travel(now() + timedelta(hours=hours)):
                ada.get("/api/me")
            with hub.database.read() as session:
                assert len(session.exec(select(IdempotencyKey)).all()) == left


def test_a_request_under_way_holds_its_key(hub: Hub) -> None:
    actor = make_user(hub)
    idempotency.begin(hub, actor, key="key-1", digest="same")
    with pytest.raises(StillUnderWay) as caught:
        idempotency.begin(hub, actor, key="key-1", digest="same")
    assert refusal_of(caught.value).status == 409
    # A process that died in the middle does not hold it for a day.
    with time_machine.travel(now() + timedelta(minutes=3)):
        begun = idempotency.begin(hub, actor, key="key-1", digest="same")
        assert not isinstance(begun, KeptAnswer)
        idempotency.finish(hub, begun, KeptAnswer(201, {"link": "<x>"}, b"{}"))
        idempotency.release(hub, begun)
        kept = idempotency.begin(hub, actor, key="key-1", digest="same")
    assert isinstance(kept, KeptAnswer)
    assert (kept.status, kept.headers, kept.body) == (201, {"link": "<x>"}, b"{}")


def test_requests_at_once_under_one_key_happen_once(hub: Hub) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with calling(hub) as ada, ThreadPoolExecutor(6) as pool:
        answers = list(
            pool.map(
                lambda _: ada.call("POST", "/api/integrations", MAKE, idempotency_key="key-1"),
                range(6),
            )
        )
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert 201 in {answer.status_code for answer in answers}
    with hub.database.read() as session:
        assert len(session.exec(select(IntegrationConfig)).all()) == 1


@pytest.mark.parametrize(
    ("error", "status", "waits"),
    [
        (ProviderError("Wrong number. Mend it.", permanent=True, status=400), 422, None),
        (ProviderError("Wrong token. Enter it.", permanent=True, status=401), 422, None),
        (ProviderError("It is down. Wait.", permanent=False, status=503), 502, None),
        (ProviderError("Slow down.", permanent=False, status=429), 429, "60"),
        (RateLimited("Slow down.", retry_after_seconds=7), 429, "7"),
        (SecretUnreadable("It does not open."), 503, "30"),
        (StorageUnavailable("Not stored."), 503, "30"),
    ],
)
def test_failures_have_the_status_that_callers_act_on(
    error: Any, status: int, waits: str | None
) -> None:
    refusal = refusal_of(error)
    assert refusal.status == status
    assert refusal.headers.get("retry-after") == waits


def test_odd_values_of_a_payload_become_json() -> None:
    odd = {"big": 2**70, "nan": float("nan"), "half": "\ud800"}
    assert json.loads(encode(odd)) == {"big": 2**70, "nan": None, "half": "\ud800"}
    assert encode({"nan": float("inf")}) == b'{"nan":null}'


def test_an_outage_of_the_database_is_said(
    sqlite_hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.exc import OperationalError

    def fail(*_: object) -> ApiCaller:
        raise OperationalError("SELECT", {}, Exception("database is locked"))

    with calling(sqlite_hub) as ada:
        monkeypatch.setattr("lib.connections.integrations.select", fail)
        answer = ada.call("GET", "/api/integrations")
        refused(answer, 503)
        assert answer.headers["retry-after"] == "30"


def test_a_kept_answer_that_does_not_open_is_no_outage(hub: Hub) -> None:
    actor = make_user(hub)
    begun = idempotency.begin(hub, actor, key="key-1", digest="same")
    assert not isinstance(begun, KeptAnswer)
    idempotency.finish(hub, begun, KeptAnswer(201, {}, b"{}"))
    other = Hub(hub.settings, hub.database, Vault([b"x" * 32]))
    with pytest.raises(InvalidInput, match="Use a new key"):
        idempotency.begin(other, actor, key="key-1", digest="same")


def test_a_fault_of_ours_is_said_without_its_words(
    sqlite_hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret words")

    monkeypatch.setattr("lib.connections.integrations.select", fail)
    app = create_app(sqlite_hub)
    ada = make_caller(
        sqlite_hub, TestClient(app, raise_server_exceptions=False), make_user(sqlite_hub)
    )
    answer = ada.call("GET", "/api/integrations")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret words" not in answer.text


def test_a_public_path_prefix_is_kept_in_links(sqlite_hub: Hub) -> None:
    with calling(sqlite_hub, public_url="https://example.com/hub") as ada:
        item = make_integration(sqlite_hub, ada.actor)
        for _ in range(2):
            make_event(sqlite_hub, item)
        for prefix in ("", "/hub"):
            answer = ada.call("GET", f"{prefix}/api/events?limit=1")
            assert answer.status_code == 200
            assert answer.headers["link"].startswith("<https://example.com/hub/api/events?limit=1")
        assert ada.get("/hub/api/openapi.json")["servers"] == [{"url": "https://example.com/hub"}]
        refused(ada.call("GET", "/hub/api/nothing"), 404)


def test_the_callers_address_comes_from_trusted_proxies_alone(sqlite_hub: Hub) -> None:
    body = {"type": "a", "data": 1}
    for trusted, address in ((NOTHING, "127.0.0.1"), (LOOPBACK, "203.0.113.7")):
        changed = trusting(sqlite_hub, trusted_proxies=trusted)
        client = TestClient(create_app(changed), client=("127.0.0.1", 5))
        ada = make_caller(changed, client, make_user(changed, f"{address}@example.com"))
        item = make_integration(changed, ada.actor)
        made = ada.post(
            "/api/events", {**body, "integration_id": item.id}, x_forwarded_for="203.0.113.7"
        )
        with changed.database.read() as session:
            assert session.get_one(WebhookEvent, made["id"]).source_ip == address


def test_the_audit_log_names_the_token(hub: Hub) -> None:
    with calling(hub) as ada:
        made = ada.post("/api/integrations", MAKE)
        integrations.pause(hub, ada.actor, made["id"])
        query = select(AuditEntry).where(AuditEntry.object_id == made["id"]).order_by(AuditEntry.id)
        with hub.database.read() as session:
            added, paused = session.exec(query).all()
        assert added.details["token_id"] == ada.get("/api/me")["token"]["id"]
        assert (added.actor, added.action) == ("ada@example.com", "integration.added")
        assert "token_id" not in paused.details
