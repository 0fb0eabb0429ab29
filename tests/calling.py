"""Callers of the REST API: members with tokens in front of a running receiver."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from lib.access import Actor
from lib.connections import integrations
from lib.errors import NotFound
from lib.hub import Hub
from lib.people import api_tokens
from lib.vendors import actions
from lib.vendors.actions import ActionOutcome, ActionView
from tests.factories import make_user
from tests.receiving import receiving


@dataclass(frozen=True)
class ApiCaller:
    """Calls with one token."""

    client: TestClient
    actor: Actor
    secret: str

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        """Send a request with the token; header names are given with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"json": body} if body is not None else {}
        return self.client.request(
            method, path, headers={"authorization": f"Bearer {self.secret}", **named}, **sent
        )

    def get(self, path: str) -> Any:
        """Return the JSON of a GET that succeeds."""
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None, *, status: int = 201, **headers: str) -> Any:
        """Return the JSON of a POST that is answered with `status`."""
        answer = self.call("POST", path, body, **headers)
        assert answer.status_code == status, answer.text
        return answer.json()


def make_caller(
    hub: Hub, client: TestClient, actor: Actor, scopes: Sequence[str] = ("all",)
) -> ApiCaller:
    """Return a caller with a new token of `actor`."""
    issued = api_tokens.create(hub, actor, name="Tests", scopes=scopes)
    return ApiCaller(client, actor, issued.secret)


@contextmanager
def calling(
    hub: Hub, email: str = "ada@example.com", role: str = "member", **settings: Any
) -> Iterator[ApiCaller]:
    """Yield a caller that may do all that its new user may, at a running receiver."""
    actor = make_user(hub, email, role)
    with receiving(hub, **settings) as client:
        yield make_caller(hub, client, actor)


def refused(answer: httpx2.Response, status: int, *, field: str | None = None) -> str:
    """Check that an answer is a problem document and return its sentence."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == status
    assert document["title"]
    assert document["type"] == f"/api/docs#problem-{status}"
    assert document.get("field") == field
    assert 10 < len(document["detail"]) <= 250
    return str(document["detail"])


class ActionDouble:
    """Plays `lib.vendors.actions`: answers as told, keeps what it was given."""

    def __init__(self, result: Any = None) -> None:
        self.result = result
        self.given: list[tuple[str, dict[str, Any]]] = []

    def list_actions(self, hub: Hub, actor: Actor, integration_id: str) -> list[ActionView]:
        """Offer one action."""
        integrations.get(hub, actor, integration_id)
        schema = {"type": "object", "properties": {"email": {"type": "string"}}}
        return [ActionView("find_contact", "Find a contact", "By e-mail.", "read", schema)]

    def run_action(
        self, hub: Hub, actor: Actor, integration_id: str, *, name: str, given: Any
    ) -> ActionOutcome:
        """Return the result, or raise it."""
        integrations.get(hub, actor, integration_id)
        if name != "find_contact":
            raise NotFound("There is no such action. Look at the list.")
        self.given.append((name, dict(given)))
        if isinstance(self.result, Exception):
            raise self.result
        return ActionOutcome(self.result, 12)


def use_actions(monkeypatch: pytest.MonkeyPatch, result: Any = None) -> ActionDouble:
    """Put a double in the place of the vendors' actions."""
    double = ActionDouble(result)
    monkeypatch.setattr(actions, "list_actions", double.list_actions)
    monkeypatch.setattr(actions, "run_action", double.run_action)
    return double
