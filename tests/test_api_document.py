"""The OpenAPI document and the page about it, and that the API keeps what they promise."""

import re
from collections import Counter
from html.parser import HTMLParser
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import one_of
from openapi_spec_validator import validate
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from lib.hub import Hub
from lib.outgoing import replays
from lib.outgoing.delivery_filters import DeliveryFilters
from lib.providers.base import CheckResult
from lib.providers.registry import all_providers, get_provider
from lib.settings import Settings
from tests.calling import ApiCaller, calling, make_caller, use_actions
from tests.event_factories import make_event, make_integration
from tests.factories import make_user
from tests.fakes.server import running
from tests.outgoing_factories import make_delivery, make_destination, make_route
from webhook_receiver.api.catalog import OPERATIONS
from webhook_receiver.api.openapi import build_document
from webhook_receiver.api.operations import Operation
from webhook_receiver.api.serving import JSON
from webhook_receiver.app import create_app

EXAMPLES = 25
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def test_the_document_is_valid_and_complete(sqlite_hub: Hub) -> None:
    with calling(sqlite_hub) as ada:
        document = ada.client.get("/api/openapi.json").json()
    validate(document)
    assert document["openapi"].startswith("3.1")
    declared = {
        (method.upper(), path) for path, entries in document["paths"].items() for method in entries
    }
    assert declared == {(each.method, each.path) for each in OPERATIONS}
    identities = [each.name for each in OPERATIONS]
    assert len(set(identities)) == len(identities)
    for path, entries in document["paths"].items():
        for method, entry in entries.items():
            names = {parameter["name"] for parameter in entry["parameters"]}
            assert {*re.findall(r"{(\w+)}", path)} <= names
            assert all(parameter.get("description") or parameter["in"] == "path"
                       for parameter in entry["parameters"]), (path, method)  # fmt: skip


def test_the_document_spells_out_what_each_action_is_given() -> None:
    document = build_document(Settings())
    path = document["paths"]["/api/integrations/{id}/actions/{action}"]
    body = path["post"]["requestBody"]
    shapes = {each["$ref"].rpartition("/")[2] for each in body["content"][JSON]["schema"]["anyOf"]}
    actions = [(provider, action) for provider in all_providers() for action in provider.actions]
    assert shapes == {action.input.__name__ for _, action in actions}
    for provider, action in actions:
        use = f"- `{action.name}` of {provider.label}: `{action.input.__name__}`"
        assert use in body["description"].split("\n")
        shown = document["components"]["schemas"][action.input.__name__]
        assert shown.get("properties", {}).keys() == action.input.model_fields.keys()
        assert shown["additionalProperties"] is False


class _Page(HTMLParser):
    """What a page links to, loads and names."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: set[str] = set()
        self.ids: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        if tag not in ("meta", "link"):
            self.open.append(tag)
        if "id" in given:
            self.ids.append(given["id"] or "")
        if "href" in given:
            self.links.add(given["href"] or "")
        assert not {"src", "style", "onclick"} & given.keys()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_alone(sqlite_hub: Hub) -> None:
    with calling(sqlite_hub) as ada:
        answer = ada.client.get("/api/docs")
        head = ada.client.head("/api/docs")
        posted = ada.client.post("/api/docs")
    assert (head.status_code, head.content, posted.status_code) == (200, b"", 405)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 's")
    page = _Page(answer.text)
    assert not page.open
    assert not page.tags & {"script", "link", "img", "iframe"}
    assert len(page.ids) == len(set(page.ids))
    assert {each.name for each in OPERATIONS} <= set(page.ids)
    anchors = {link.removeprefix("#") for link in page.links if link.startswith("#")}
    assert anchors <= set(page.ids)
    assert page.links - {f"#{anchor}" for anchor in anchors} == {"openapi.json"}


def _ground(hub: Hub, ada: ApiCaller) -> dict[str, str]:
    """Return ids that are there, by the noun of their address."""
    item = make_integration(hub, ada.actor)
    event_id = make_event(hub, item, payload={"odd": [None, "\x00", 2**70, "\u2028"]})
    place = make_destination(hub, ada.actor)
    route = make_route(hub, item, place, filters=[{"path": "data.odd", "operator": "exists"}])
    dead = make_delivery(hub, event_id, place, status="dead")
    seen = replays.dry_run(hub, ada.actor, DeliveryFilters())
    return {
        "integrations": item.id,
        "test-integration": item.id,
        "events": event_id,
        "destinations": place.id,
        "routes": route.id,
        "deliveries": dead.id,
        "replays": replays.start(hub, ada.actor, seen).id,
        "hooks": place.id,
    }


def _cases(operation: Any, ids: dict[str, str]) -> Any:
    """Return requests that the document allows, about what is there and what is not, and others."""
    known = {"id": ids.get(operation.path.split("/")[2], "none"), "action": "find_contact"}
    fixed = {name: value for name, value in known.items() if f"{{{name}}}" in operation.path}
    filled = {
        "integration_id": ids["integrations"],
        "destination_id": ids["destinations"],
        "target_url": "https://example.com/hook",
        "url": "https://example.com/hook",
        "kind": "http",
        "credentials": {},
        "concurrency": 5,
    }

    def fill(case: Any) -> Any:
        if isinstance(case.body, dict):
            case.body |= {name: filled[name] for name in case.body.keys() & filled.keys()}
        return case

    allowed = operation.as_strategy(path_parameters=fixed)
    strategies = [allowed.map(fill), operation.as_strategy()]
    if operation.body or operation.query:
        strategies.append(operation.as_strategy(GenerationMode.NEGATIVE, path_parameters=fixed))
    return one_of(strategies)


def test_what_the_document_promises_holds(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """No request, whatever it holds, meets an answer that the document does not name."""
    use_actions(monkeypatch, {"id": "1"})
    checked = CheckResult("verified", "It works.")
    monkeypatch.setattr(type(get_provider("twilio")), "check", lambda *_: checked)
    changed = hub.settings.model_copy(update={"api_requests_per_minute": 1_000_000})
    whole = Hub(changed, hub.database, hub.vault)
    app = create_app(whole)
    ada = make_caller(hub, TestClient(app), make_user(hub))
    ids = _ground(hub, ada)
    headers = {"authorization": f"Bearer {ada.secret}"}
    schema = schemathesis.openapi.from_dict(build_document(changed))
    operations = [each.ok() for each in schema.get_all_operations()]
    tried = Counter[str]()
    with running(app) as url:
        # What is removed is removed last.
        operations.sort(key=lambda each: each.path, reverse=True)
        for operation in sorted(operations, key=lambda each: each.method == "delete"):

            @settings(
                max_examples=EXAMPLES,
                deadline=None,
                database=None,
                derandomize=True,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=_cases(operation, ids))
            def try_one(case: Any) -> None:
                answer = case.call_and_validate(base_url=url, headers=headers, checks=CHECKS)
                tried[f"{case.operation.label} {answer.status_code}"] += 1

            try_one()
    # It is no proof of anything if every request was refused.
    assert not [each.name for each in OPERATIONS if not tried[_label(each)]], tried


def _label(operation: Operation) -> str:
    return f"{operation.method} {operation.path} {operation.status}"
