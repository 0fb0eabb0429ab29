"""The Credentials screen: what it shows of each, how one is replaced, and what it never shows."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib.access import Actor
from lib.connections import integrations
from lib.connections.integrations import Integration
from lib.hub import Hub
from lib.models import IntegrationConfig
from lib.providers.base import CheckResult
from lib.providers.registry import get_provider
from lib.vault.row_secrets import open_previous, open_values
from tests.event_factories import SID, TOKEN, make_event, make_integration
from tests.factories import make_user
from tests.outgoing_factories import SIGNING_SECRET, URL, make_destination, make_route
from tests.visitors import Visitor, visiting

NEW = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"


@pytest.fixture
def visitor(sqlite_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    with visiting(sqlite_hub, monkeypatch) as visitor:
        yield visitor


@pytest.fixture
def ada(visitor: Visitor) -> Actor:
    return visitor.sign_in("member")


def _row(hub: Hub, item: Integration) -> IntegrationConfig:
    with hub.database.read() as session:
        return session.get_one(IntegrationConfig, item.id)


def _open(visitor: Visitor, **query: str) -> AppTest:
    script = visitor.open()
    for name, value in query.items():
        script.query_params[name] = value
    return script.switch_page("../../pages/credentials.py").run()


def _labels(script: AppTest) -> list[str]:
    return [str(label) for label in script.dataframe[0].value["label"]]


def _shown(script: AppTest) -> str:
    """Return everything that the browser is sent."""
    return repr([element for element in script]) + json.dumps(  # noqa: C416 - a tree, walked
        [frame.value.to_dict() for frame in script.dataframe], default=str
    )


def _answer(monkeypatch: pytest.MonkeyPatch, outcome: str) -> None:
    def check(*_: Any) -> CheckResult:
        return CheckResult(outcome, "As the vendor says.")  # type: ignore[arg-type]

    monkeypatch.setattr(type(get_provider("twilio")), "check", check)


def test_an_empty_hub_says_where_credentials_come_from(visitor: Visitor, ada: Actor) -> None:
    script = _open(visitor)
    assert not script.exception
    assert "No credentials yet" in script.info[0].value


def test_each_credential_is_a_row_and_no_secret_is_shown(visitor: Visitor, ada: Actor) -> None:
    item = make_integration(visitor.hub, ada)
    place = make_destination(visitor.hub, ada)
    make_integration(visitor.hub, make_user(visitor.hub, "bob@example.com"), "Bob's")
    script = _open(visitor)
    assert not script.exception
    assert _labels(script) == ["Webhook address", "Auth Token", "Address", "Signing secret"]
    address = item.webhook_url.rpartition("/")[2]
    for key in ("", f"{item.id}.auth_token", f"{item.id}.webhook_address", f"{place.id}.url"):
        script = _open(visitor, **({"open": key} if key else {}))
        assert not script.exception
        for secret in (TOKEN, SIGNING_SECRET, URL, address, "s3cr3t-path"):
            assert secret not in _shown(script), key


def test_the_filters_are_in_the_address(visitor: Visitor, ada: Actor) -> None:
    make_integration(visitor.hub, ada)
    make_integration(visitor.hub, ada, "Shop", service_name="zapier")
    assert set(_labels(_open(visitor, service="zapier"))) == {"Webhook address", "Inbound secret"}
    assert "Hook URL" in _labels(_open(visitor, service="zapier", optional="true"))
    assert "No credential matches" in _open(visitor, state="failing").info[0].value


def test_staff_narrow_to_an_owner(visitor: Visitor) -> None:
    visitor.sign_in("staff")
    bob, eve = (make_user(visitor.hub, f"{name}@example.com") for name in ("bob", "eve"))
    make_integration(visitor.hub, bob, "Bob's")
    make_integration(visitor.hub, eve, "Eve's")
    table = _open(visitor, owner=bob.id).dataframe[0].value
    assert set(table["object"]) == {"Bob's"}
    assert set(table["owner"]) == {"bob@example.com"}


def test_an_analyst_is_kept_out(visitor: Visitor) -> None:
    visitor.sign_in("analyst")
    script = visitor.run_alone("credentials")
    assert not script.dataframe


def test_what_hangs_on_a_credential_is_named(visitor: Visitor, ada: Actor) -> None:
    item = make_integration(visitor.hub, ada)
    make_route(visitor.hub, item, make_destination(visitor.hub, ada), "To the warehouse")
    script = _open(visitor, open=f"{item.id}.auth_token")
    assert any("To the warehouse" in each.value for each in script.markdown)
    assert any("Nobody can read it back" in each.value for each in script.markdown)


def test_a_vendor_secret_is_checked_and_replaced(
    visitor: Visitor, ada: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = make_integration(visitor.hub, ada)
    script = _open(visitor, open=f"{item.id}.auth_token")
    script.button(key="credentials_rotate").click().run()
    script.button(key="credentials_wizard_go").click().run()
    _answer(monkeypatch, "failed")
    script.text_input(key="credentials_new_value").input(NEW)
    script.button(key="credentials_wizard_replace").click().run()
    assert "The one in use is kept" in script.error[0].value
    assert open_values(visitor.hub.vault, _row(visitor.hub, item))["auth_token"] == TOKEN
    _answer(monkeypatch, "verified")
    script.text_input(key="credentials_new_value").input(NEW)
    script.button(key="credentials_wizard_replace").click().run()
    assert not script.exception
    row = _row(visitor.hub, item)
    assert open_values(visitor.hub.vault, row) == {"account_sid": SID, "auth_token": NEW}
    before = open_previous(visitor.hub.vault, row)
    assert before is not None
    assert before.text == TOKEN
    assert "No event has come with the new one yet" in script.info[0].value
    script.button(key="credentials_wizard_done").click().run()
    script.button(key="credentials_wizard_close").click().run()
    assert NEW not in _shown(script)
    script.button(key="credentials_end").click().run()
    assert open_previous(visitor.hub.vault, _row(visitor.hub, item)) is None


def test_an_issued_secret_is_shown_once(visitor: Visitor, ada: Actor) -> None:
    item = make_integration(visitor.hub, ada, "Shop", service_name="zapier")
    script = _open(visitor, open=f"{item.id}.inbound_secret")
    script.button(key="credentials_rotate").click().run()
    script.button(key="credentials_wizard_go").click().run()
    script.button(key="credentials_wizard_issue").click().run()
    assert not script.exception
    secret = open_values(visitor.hub.vault, _row(visitor.hub, item))["inbound_secret"]
    assert secret in [each.value for each in script.code]
    script.button(key="credentials_wizard_copied").click().run()
    assert secret not in _shown(script)


def test_an_address_is_rotated_and_its_first_event_is_seen(visitor: Visitor, ada: Actor) -> None:
    item = make_integration(visitor.hub, ada)
    script = _open(visitor, open=f"{item.id}.webhook_address")
    script.button(key="credentials_rotate").click().run()
    script.button(key="credentials_wizard_go").click().run()
    script.button(key="credentials_wizard_issue").click().run()
    assert not script.exception
    new = integrations.get(visitor.hub, ada, item.id).webhook_url
    assert new != item.webhook_url
    assert new in [each.value for each in script.code]
    make_event(visitor.hub, item)
    script.button(key="credentials_wizard_look").click().run()
    assert any("An event came here since the change" in each.value for each in script.success)


def test_the_integration_shows_its_own(visitor: Visitor, ada: Actor) -> None:
    item = make_integration(visitor.hub, ada)
    script = visitor.open()
    script.query_params["open"] = item.id
    script.switch_page("../../pages/integrations.py").run()
    assert not script.exception
    tables = [frame.value for frame in script.dataframe if "label" in frame.value]
    assert "API key secret" in set(tables[0]["label"])
