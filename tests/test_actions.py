"""Running an action: who may, what is checked, what is kept, and many at once."""

import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlmodel import col, select

from lib.access import Actor
from lib.connections import integrations
from lib.connections.integrations import Integration
from lib.errors import HubError, InvalidInput, NotAllowed, NotFound, ProviderError, SecretUnreadable
from lib.hub import Hub
from lib.models import ApiCall, AuditEntry, IntegrationConfig
from lib.providers.registry import all_providers, get_provider
from lib.vendors.actions import list_actions, run_action
from tests.acting import PHONE, Vendors, connect_twilio, near, vendors
from tests.factories import make_user
from tests.fakes import twilio


@pytest.fixture(scope="module")
def fakes() -> Iterator[Vendors]:
    with vendors("twilio") as found:
        yield found


@pytest.fixture
def acting(hub: Hub, fakes: Vendors) -> Hub:
    fakes.apps["twilio"].state.sent.clear()
    return near(hub, fakes)


@pytest.fixture
def ada(hub: Hub) -> Actor:
    return make_user(hub)


@pytest.fixture
def item(acting: Hub, ada: Actor) -> Integration:
    return connect_twilio(acting, ada)


def send(hub: Hub, actor: Actor, item: Integration, **given: Any) -> Any:
    merged = {"to": PHONE, "body": "Hello", **given}
    return run_action(hub, actor, item.id, name="send_message", given=merged)


def kept(hub: Hub, table: Any) -> list[Any]:
    with hub.database.read() as session:
        return list(session.exec(select(table).order_by(col(table.id))))


def acted(hub: Hub) -> list[AuditEntry]:
    return [each for each in kept(hub, AuditEntry) if each.action == "integration.acted"]


def test_an_action_is_done_once_and_put_on_record(
    acting: Hub, ada: Actor, item: Integration, fakes: Vendors
) -> None:
    outcome = send(acting, ada, item)
    assert outcome.result["status"] == "queued"
    assert outcome.milliseconds >= 0
    (form,) = fakes.apps["twilio"].state.sent
    assert form["StatusCallback"] == item.webhook_url
    (call,) = kept(acting, ApiCall)
    assert (call.integration_id, call.user_id, call.method, call.status) == (
        item.id,
        ada.id,
        "POST",
        201,
    )
    (entry,) = acted(acting)
    assert (entry.user_id, entry.object_id) == (ada.id, item.id)
    assert entry.details == {"name": "Front desk", "asked": "send_message"}
    assert PHONE not in repr((call, entry))


def test_reading_is_not_audited(acting: Hub, ada: Actor, item: Integration) -> None:
    run_action(acting, ada, item.id, name="list_messages", given={})
    assert acted(acting) == []
    assert len(kept(acting, ApiCall)) == 1


def test_a_refusal_is_on_record_too(acting: Hub, ada: Actor, item: Integration) -> None:
    with pytest.raises(ProviderError, match="STOP"):
        send(acting, ada, item, to="+15005550004")
    assert [call.status for call in kept(acting, ApiCall)] == [400]
    assert len(acted(acting)) == 1


def test_only_owner_and_staff_may_act(acting: Hub, ada: Actor, item: Integration) -> None:
    bob = make_user(acting, "bob@example.com")
    analyst = make_user(acting, "ana@example.com", "analyst")
    staff = make_user(acting, "sam@example.com", "staff")
    with pytest.raises(NotFound):
        send(acting, bob, item)
    with pytest.raises(NotFound):
        list_actions(acting, bob, item.id)
    with pytest.raises(NotAllowed):
        send(acting, analyst, item)
    with pytest.raises(NotAllowed):
        list_actions(acting, analyst, item.id)
    assert kept(acting, ApiCall) == []
    assert send(acting, staff, item).result["sid"]
    assert [entry.user_id for entry in acted(acting)] == [staff.id]


def test_unknown_actions_and_removed_integrations_are_not_found(
    acting: Hub, ada: Actor, item: Integration
) -> None:
    with pytest.raises(NotFound, match="no such action"):
        run_action(acting, ada, item.id, name="explode", given={})
    integrations.remove(acting, ada, item.id, typed_name=item.name)
    with pytest.raises(NotFound):
        send(acting, ada, item)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"to": "secret-number"}, "to"),
        ({"body": "x" * 2000}, "body"),
        ({"validity_seconds": "soon"}, "validity_seconds"),
        ({"secret_colour": "red"}, "secret_colour"),
        ({"media_urls": ["https://x.example", "nonsense"]}, "media_urls.1"),
    ],
)
def test_bad_input_names_the_field_and_hides_the_value(
    acting: Hub, ada: Actor, item: Integration, given: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        send(acting, ada, item, **given)
    assert caught.value.field == field
    assert not any(str(value) in caught.value.message for value in given.values())
    assert (kept(acting, ApiCall), acted(acting)) == ([], [])


def test_a_paused_integration_reads_and_does_nothing_else(
    acting: Hub, ada: Actor, item: Integration
) -> None:
    integrations.pause(acting, ada, item.id)
    assert run_action(acting, ada, item.id, name="list_messages", given={}).result
    with pytest.raises(InvalidInput, match="Resume it first"):
        send(acting, ada, item)
    assert acted(acting) == []


def test_a_secret_that_does_not_open_sends_nothing(
    acting: Hub, ada: Actor, item: Integration, fakes: Vendors
) -> None:
    with acting.database.write() as session:
        row = session.get_one(IntegrationConfig, item.id)
        row.credentials = {
            name: {**entry, "sealed": entry["sealed"][:-4] + "AAAA"}
            for name, entry in row.credentials.items()
        }
    with pytest.raises(SecretUnreadable):
        send(acting, ada, item)
    assert fakes.apps["twilio"].state.sent == []


def test_the_list_holds_what_the_provider_declares(
    acting: Hub, ada: Actor, item: Integration
) -> None:
    views = list_actions(acting, ada, item.id)
    assert [view.name for view in views] == [
        action.name for action in get_provider("twilio").actions
    ]
    schema = next(view.schema for view in views if view.name == "send_message")
    assert schema["required"] == ["to"]
    assert schema["additionalProperties"] is False
    assert "from_number" in schema["properties"]


def test_a_provider_without_actions_offers_none(acting: Hub, ada: Actor) -> None:
    slug = next(each.slug for each in all_providers() if not each.actions)
    issued = integrations.add(acting, ada, service_name=slug, name="Quiet", values={})
    assert list_actions(acting, ada, issued.integration.id) == []


def test_fifty_at_once_do_no_harm(
    acting: Hub, ada: Actor, item: Integration, fakes: Vendors
) -> None:
    ends: list[Any] = []

    def one(number: int) -> None:
        try:
            ends.append(send(acting, ada, item, body=f"Number {number}").result["body"])
        except HubError as error:
            ends.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(map(str, ends)) == sorted(f"Number {number}" for number in range(50))
    assert len(fakes.apps["twilio"].state.sent) == 50
    assert len(kept(acting, ApiCall)) == len(acted(acting)) == 50
    shown = repr((kept(acting, ApiCall), acted(acting), ends))
    # As a word: ids and times hold the same five digits by chance.
    assert not re.search(rf"\b{twilio.AUTH_TOKEN}\b", shown)
