"""What every action promises, asked of each in the same words."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lib import http
from lib.errors import InvalidInput, ProviderError
from lib.http import VendorClient
from lib.providers.actions import Action, ActionCall
from lib.providers.base import Provider
from lib.providers.hook_actions import TriggerHook
from lib.providers.registry import all_providers
from lib.settings import Settings
from lib.vendors.action_runs import check_input
from tests.fakes.server import running
from tests.providers.action_samples import INPUTS, VALUES

WEBHOOK_URL = "https://hub.example.com/api/webhooks/x/0123456789abcdef0123456789abcdef"
ACTIONS = [(provider, action) for provider in all_providers() for action in provider.actions]
each_action = pytest.mark.parametrize(
    ("provider", "action"), ACTIONS, ids=lambda item: getattr(item, "slug", None) or item.name
)


class Vendor:
    """A vendor that gives one answer to everything."""

    def __init__(self) -> None:
        self.status, self.body, self.seconds = 200, "{}", 0.0
        self.url = ""

    async def answer(self, _: Request) -> Response:
        await asyncio.sleep(self.seconds)
        return Response(self.body, self.status, media_type="application/json")


@pytest.fixture(scope="module")
def serving() -> Iterator[Vendor]:
    vendor = Vendor()
    methods = ["GET", "POST", "PUT", "DELETE"]
    app = Starlette(routes=[Route("/{path:path}", vendor.answer, methods=methods)])
    with running(app) as url:
        vendor.url = url
        yield vendor


@pytest.fixture
def vendor(serving: Vendor, monkeypatch: pytest.MonkeyPatch) -> Vendor:
    serving.status, serving.body, serving.seconds = 200, "{}", 0.0
    monkeypatch.setattr(http, "READ_SECONDS", 0.3)
    return serving


def run(vendor: Vendor, provider: Provider, action: Action) -> Any:
    settings = Settings(
        twilio_api_url=vendor.url,
        gohighlevel_api_url=vendor.url,
        make_api_url=vendor.url,
        allowed_private_networks="127.0.0.0/8",  # type: ignore[arg-type]
    )
    values = {**VALUES[provider.slug], "hook_url": f"{vendor.url}/hook/s3cret"}
    given = check_input(action, INPUTS[provider.slug][action.name])
    with VendorClient(settings.allowed_private_networks, settings.vendor_api_urls) as client:
        call = ActionCall(values, settings, client, WEBHOOK_URL)
        try:
            return action.run(given, call)
        finally:
            shown = repr(client.calls)
            assert not any(secret in shown for secret in _secrets(provider))
            assert action.effect != "send" or len(client.calls) == 1


def refused(vendor: Vendor, provider: Provider, action: Action) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        run(vendor, provider, action)
    told = f"{caught.value!r} {caught.value.message}"
    assert not any(secret in told for secret in _secrets(provider))
    assert re.search(r"[.)]$", caught.value.message)
    return caught.value


@each_action
def test_it_is_described_for_people(provider: Provider, action: Action) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", action.name)
    assert action.label
    assert action.label[0].isupper()
    assert action.help.endswith(".")
    assert action.effect in ("read", "write", "send")
    for name, field in action.input.model_fields.items():
        assert field.title, name
        assert (field.description or "").endswith("."), name


@each_action
def test_its_schema_is_valid_and_takes_the_sample(provider: Provider, action: Action) -> None:
    schema = action.input.model_json_schema()
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(INPUTS[provider.slug][action.name])
    with pytest.raises((ValidationError, InvalidInput)):
        action.input.model_validate({"no_such_field": 1})


def test_names_are_unique_within_a_provider() -> None:
    for provider in all_providers():
        names = [action.name for action in provider.actions]
        assert len(names) == len(set(names))


@each_action
def test_a_refused_credential_is_told_as_such(
    vendor: Vendor, provider: Provider, action: Action
) -> None:
    vendor.status = 401
    error = refused(vendor, provider, action)
    assert error.status == 401
    # A hook's own rules may let its address be tried again.
    assert error.permanent or isinstance(action, TriggerHook)


@each_action
def test_too_many_requests_were_not_processed(
    vendor: Vendor, provider: Provider, action: Action
) -> None:
    vendor.status = 429
    error = refused(vendor, provider, action)
    assert (error.status, error.permanent, error.is_unprocessed) == (429, False, True)


@each_action
def test_no_answer_in_time_leaves_it_open(
    vendor: Vendor,
    provider: Provider,
    action: Action,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vendor.seconds = 1.0
    monkeypatch.setattr("lib.providers.make.actions._WAIT_SECONDS", 0.3)
    error = refused(vendor, provider, action)
    assert (error.status, error.permanent, error.is_unprocessed) == (None, False, False)


@each_action
def test_an_answer_that_is_no_json_leaves_it_open(
    vendor: Vendor, provider: Provider, action: Action
) -> None:
    vendor.body = "<html>{"
    if isinstance(action, TriggerHook):
        # Hooks answer in any words; 2xx says that they have it.
        assert run(vendor, provider, action)["outcome"] == "accepted"
        return
    error = refused(vendor, provider, action)
    assert (error.permanent, error.is_unprocessed) == (False, False)


@each_action
def test_answers_of_odd_shapes_never_crash(
    vendor: Vendor, provider: Provider, action: Action
) -> None:
    for body in ("[]", "null", "1", '{"messages": 3, "scenarios": {}, "hooks": [1, null]}'):
        vendor.body = body
        run(vendor, provider, action)


@each_action
def test_a_vendor_that_is_away_did_nothing(
    vendor: Vendor, provider: Provider, action: Action
) -> None:
    away = Vendor()
    away.url = "http://127.0.0.1:9"
    error = refused(away, provider, action)
    assert (error.permanent, error.is_unprocessed) == (False, True)


def _secrets(provider: Provider) -> list[str]:
    values = VALUES[provider.slug]
    secret = [each.name for each in provider.fields if each.is_secret]
    return [*(values[name] for name in secret if name in values), "s3cret"]
