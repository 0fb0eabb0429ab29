"""The guides for Zapier and Make name addresses and bodies that the API has."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from lib.clock import now
from lib.outgoing.envelope import EventFacts, build_envelope
from lib.people.api_tokens import SCOPES
from lib.providers.registry import all_providers
from webhook_receiver.api.catalog import OPERATIONS
from webhook_receiver.api.documents import PATHS
from webhook_receiver.api.hooks import HookShown
from webhook_receiver.api.operations import Operation
from webhook_receiver.api.reading import read_document, read_query

DOCS = Path(__file__).parent.parent / "docs"
GUIDES = ("zapier.md", "make.md")
NAMED = re.compile(r"\b(GET|POST|PUT|DELETE) https://hub\.example\.com(/[^\s`|]*)")
BLOCK = re.compile(r"```http\n(\w+) https://hub\.example\.com(\S+)\n\n(.*?)```", re.DOTALL)


def read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def find(method: str, address: str) -> Operation | None:
    """Return the operation of an address; placeholders stand for ids."""
    path = re.sub(r"{{[\w.]+}}", "x", address.partition("?")[0])
    for each in sorted(OPERATIONS, key=lambda item: item.path.count("{")):
        if each.method == method and re.fullmatch(re.sub(r"{\w+}", "[^/]+", each.path), path):
            return each
    return None


@pytest.mark.parametrize("name", GUIDES)
def test_every_address_is_there(name: str) -> None:
    named = NAMED.findall(read(name))
    assert len(named) > 8
    # Nothing else looks like an address of the API.
    assert read(name).count("hub.example.com/") == len(named)
    for method, address in named:
        operation = find(method, address)
        if operation is None:
            assert (method, address) in {("GET", path) for path in PATHS}
        else:
            read_query(operation.query, address.partition("?")[2])


@pytest.mark.parametrize("name", GUIDES)
def test_every_body_is_taken(name: str) -> None:
    blocks = BLOCK.findall(read(name))
    assert len(blocks) == read(name).count("```http")
    kinds = {target.kind: target for each in all_providers() for target in each.targets}
    for method, address, body in blocks:
        operation = find(method, address)
        assert operation is not None
        assert operation.body is not None
        read_document(operation, body.encode())
        given = json.loads(body)
        if "kind" in given:
            fields = {field.name for field in kinds[given["kind"]].fields}
            assert given.get("credentials", {}).keys() <= fields
        if given.get("mapping"):
            assert given["mapping"] in kinds["make"].mappings.values()


def test_every_answer_has_the_fields_that_it_shows() -> None:
    shown: list[dict[str, Any]] = [
        json.loads(block)
        for block in re.findall(r"```json\n(.*?)```", read("zapier.md"), re.DOTALL)
    ]
    envelope = build_envelope(EventFacts("evt_1", "a", now(), "webhook", "int_1", "", b"{}"))
    assert [set(each) for each in shown] == [set(HookShown.model_fields), set(envelope)]


@pytest.mark.parametrize("name", GUIDES)
def test_every_scope_is_there(name: str) -> None:
    scopes = re.findall(r"`((?:read|write):\w+)`", read(name))
    assert scopes
    assert set(scopes) <= SCOPES.keys()


def test_every_operation_that_zapier_needs_is_told() -> None:
    found = [find(method, address) for method, address in NAMED.findall(read("zapier.md"))]
    told = {each.name for each in found if each is not None}
    assert told >= {
        "get_me",
        "post_hooks",
        "delete_hooks_id",
        "get_events_samples",
        "get_events",
        "post_events",
        "get_integrations",
        "get_integrations_id_actions",
        "post_integrations_id_actions_action",
    }
