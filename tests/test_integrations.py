"""Adding, changing and removing connections, on both databases."""

from datetime import timedelta

import pytest
from sqlmodel import select

from lib.clock import now
from lib.connections import integrations
from lib.connections.first_values import first_values, offered_secrets, with_offered_secrets
from lib.errors import InvalidInput, NotFound
from lib.hub import Hub
from lib.models import AuditEntry, IntegrationConfig
from lib.providers.registry import get_provider
from lib.vault.row_secrets import open_values
from tests.event_factories import SID, TOKEN, make_event, make_integration
from tests.factories import make_user


def _row(hub: Hub, integration_id: str) -> IntegrationConfig:
    with hub.database.read() as session:
        return session.get_one(IntegrationConfig, integration_id)


def test_a_secret_is_sealed_and_shown_as_its_last_four(hub: Hub) -> None:
    item = make_integration(hub, make_user(hub))
    row = _row(hub, item.id)
    assert TOKEN not in repr(row.credentials)
    assert TOKEN not in repr(item)
    assert item.credentials["auth_token"] == "••••1e0f"
    assert open_values(hub.vault, row)["auth_token"] == TOKEN


def test_the_address_is_stored_as_a_digest_that_matches(hub: Hub) -> None:
    item = make_integration(hub, make_user(hub))
    assert item.webhook_url.startswith("http://localhost:8000/api/webhooks/twilio/")
    token = item.webhook_url.rpartition("/")[2]
    assert _row(hub, item.id).token_digest == integrations.token_digest(token)


def test_a_bad_value_names_its_field(hub: Hub) -> None:
    values = {"account_sid": "AC1", "auth_token": TOKEN}
    with pytest.raises(InvalidInput) as caught:
        integrations.add(hub, make_user(hub), service_name="twilio", name="x", values=values)
    assert caught.value.field == "account_sid"


def test_integrations_may_share_a_name_and_are_removed_one_by_one(hub: Hub) -> None:
    ada = make_user(hub)
    first, second = make_integration(hub, ada, "Desk"), make_integration(hub, ada, "Desk")
    integrations.remove(hub, ada, first.id, typed_name="Desk")
    assert [item.id for item in integrations.list_all(hub, ada)] == [second.id]


def test_a_blank_secret_is_kept_and_a_new_one_replaces_it(hub: Hub) -> None:
    actor = make_user(hub)
    item = make_integration(hub, actor)
    values = {"account_sid": SID, "auth_token": "", "from_number": "+14155550100"}
    integrations.update(hub, actor, item.id, name="Renamed", values=values)
    opened = open_values(hub.vault, _row(hub, item.id))
    assert (opened["auth_token"], opened["from_number"]) == (TOKEN, "+14155550100")
    values["auth_token"] = "a" * 32
    integrations.update(hub, actor, item.id, name="Renamed", values=values)
    assert open_values(hub.vault, _row(hub, item.id))["auth_token"] == "a" * 32


def test_a_pause_ends_with_resume(hub: Hub) -> None:
    actor = make_user(hub)
    item = make_integration(hub, actor)
    assert not integrations.pause(hub, actor, item.id).is_active
    assert integrations.resume(hub, actor, item.id).is_active


def test_the_address_before_works_for_a_week(hub: Hub) -> None:
    actor = make_user(hub)
    item = make_integration(hub, actor)
    before = _row(hub, item.id).token_digest
    rotated = integrations.rotate_address(hub, actor, item.id)
    row = _row(hub, item.id)
    assert rotated.webhook_url != item.webhook_url
    assert (row.previous_token_digest, row.token_digest == before) == (before, False)
    assert rotated.previous_address_until is not None
    assert timedelta(days=6) < rotated.previous_address_until - now() <= timedelta(days=7)


def test_an_issued_secret_is_returned_once(hub: Hub) -> None:
    actor = make_user(hub)
    issued = integrations.add(hub, actor, service_name="make", name="Orders", values={})
    assert issued.inbound_secret
    assert issued.inbound_secret not in repr(issued)
    assert issued.inbound_secret not in repr(integrations.get(hub, actor, issued.integration.id))
    again = integrations.reissue_secret(hub, actor, issued.integration.id)
    assert again.inbound_secret not in (None, issued.inbound_secret)


def test_a_vendor_that_signs_itself_has_no_secret_to_issue(hub: Hub) -> None:
    actor = make_user(hub)
    with pytest.raises(InvalidInput, match="no secret to issue"):
        integrations.reissue_secret(hub, actor, make_integration(hub, actor).id)


def test_removal_takes_credentials_and_keeps_events(hub: Hub) -> None:
    actor = make_user(hub)
    item = make_integration(hub, actor)
    make_event(hub, item)
    with pytest.raises(InvalidInput, match="Type the name"):
        integrations.remove(hub, actor, item.id, typed_name="front")
    integrations.remove(hub, actor, item.id, typed_name=" Front desk ")
    row = _row(hub, item.id)
    assert (row.credentials, row.token_digest, row.webhook_url) == ({}, None, "")
    assert integrations.list_all(hub, actor) == []
    with pytest.raises(NotFound):
        integrations.get(hub, actor, item.id)


def test_every_change_is_on_record_without_secrets(hub: Hub) -> None:
    actor = make_user(hub)
    item = make_integration(hub, actor)
    integrations.pause(hub, actor, item.id)
    with hub.database.read() as session:
        entries = session.exec(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [entry.action for entry in entries] == ["integration.added", "integration.paused"]
    assert TOKEN not in repr(entries)


def test_the_server_offers_its_account_to_staff_alone(
    sqlite_hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", SID)
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", TOKEN)
    provider = get_provider("twilio")
    member, staff = make_user(sqlite_hub), make_user(sqlite_hub, "s@example.com", "staff")
    assert first_values(staff, provider) == {"account_sid": SID}
    assert offered_secrets(staff, provider) == {"auth_token": "TWILIO_AUTH_TOKEN"}
    chosen = {"auth_token"}
    assert with_offered_secrets(staff, provider, values={}, chosen=chosen) == {"auth_token": TOKEN}
    assert first_values(member, provider) == offered_secrets(member, provider) == {}
    assert with_offered_secrets(member, provider, values={}, chosen=chosen) == {}
    assert first_values(staff, get_provider("make")) == {}
