"""Replacing secrets: the one before is accepted for a while, and a bad one replaces nothing."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from lib.access import Actor
from lib.clock import now, shifted
from lib.connections import integrations
from lib.connections.integrations import Issued
from lib.credentials import rotation as credential_rotation
from lib.credentials.rotation import replace_secret
from lib.errors import InvalidInput
from lib.hub import Hub
from lib.models import AuditEntry, IntegrationConfig
from lib.outgoing import destinations
from lib.outgoing.destination_secrets import open_secrets
from lib.outgoing.secret_overlaps import end_signing_overlap
from lib.providers.base import CheckResult
from lib.providers.registry import get_provider
from lib.vault.rotation import reseal
from lib.vault.row_secrets import PREVIOUS_PROOF, open_previous, open_values
from tests.factories import make_user
from tests.outgoing_factories import SIGNING_SECRET, make_destination
from tests.receiving import (
    AUTH_TOKEN,
    connect,
    post,
    receiving,
    sign,
    sign_form,
    stored_events,
)

NEW_TOKEN = "e" * 32
BODY: dict[str, Any] = {"type": "order.created", "n": 1}


@pytest.fixture
def ada(hub: Hub) -> Actor:
    return make_user(hub)


def _row(hub: Hub, integration_id: str) -> IntegrationConfig:
    with hub.database.read() as session:
        return session.get_one(IntegrationConfig, integration_id)


def _statuses(hub: Hub, *issued: Issued, age: timedelta = timedelta(0)) -> list[int]:
    """Post one event signed with each secret, at a later time, and return the answers."""
    with shifted(age), receiving(hub) as client:
        return [
            post(
                client,
                each.integration.webhook_url,
                sign(each, {**BODY, "n": number, "age": str(age)}, unique=f"{number} {age}"),
            ).status_code
            for number, each in enumerate(issued)
        ]


def _await(is_so: Callable[[], bool]) -> None:
    """Wait for the receiver's next look at what changed."""
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("service", ["make", "zapier", "webhook"])
def test_the_secret_before_is_accepted_for_a_day(hub: Hub, ada: Actor, service: str) -> None:
    first = connect(hub, ada, service)
    second = integrations.reissue_secret(hub, ada, first.integration.id)
    assert _statuses(hub, first, second) == [200, 200]
    old, new = (event.verification for event in stored_events(hub))
    assert ("before the rotation" in old, "before the rotation" in new) == (True, False)
    assert _statuses(hub, first, second, age=timedelta(hours=23)) == [200, 200]
    assert _statuses(hub, first, second, age=timedelta(hours=25)) == [401, 200]


def test_a_running_receiver_learns_of_both_ends(hub: Hub, ada: Actor) -> None:
    first = connect(hub, ada, "make")
    url, item_id = first.integration.webhook_url, first.integration.id
    with receiving(hub) as client:
        assert post(client, url, sign(first, BODY)).status_code == 200
        second = integrations.reissue_secret(hub, ada, item_id)
        _await(lambda: post(client, url, sign(second, {"n": 2})).status_code == 200)
        assert post(client, url, sign(first, {"n": 3})).status_code == 200
        credential_rotation.end_secret_overlap(hub, ada, item_id)
        _await(lambda: post(client, url, sign(first, {"n": 4})).status_code == 401)
        assert post(client, url, sign(second, {"n": 5})).status_code == 200
    assert PREVIOUS_PROOF not in _row(hub, item_id).credentials


def test_the_secret_before_the_last_but_one_is_refused(hub: Hub, ada: Actor) -> None:
    first = connect(hub, ada, "make")
    second = integrations.reissue_secret(hub, ada, first.integration.id)
    third = integrations.reissue_secret(hub, ada, first.integration.id)
    assert _statuses(hub, first, second, third) == [401, 200, 200]


def test_nobody_sees_the_secret_before(hub: Hub, ada: Actor) -> None:
    first = connect(hub, ada, "make")
    issued = integrations.reissue_secret(hub, ada, first.integration.id)
    assert set(issued.integration.credentials) == {"inbound_secret"}
    row = _row(hub, first.integration.id)
    assert open_values(hub.vault, row) == {"inbound_secret": issued.inbound_secret}
    assert first.inbound_secret not in repr((row, issued, open_previous(hub.vault, row)))
    # A change of other settings leaves it, and so does a new master key.
    integrations.update(hub, ada, row.id, name="Renamed", values={"zone": "eu1"})
    reseal(hub)
    row = _row(hub, row.id)
    before = open_previous(hub.vault, row)
    assert before is not None
    assert before.text == first.inbound_secret
    assert set(row.config_data) == {"zone"}


@contextmanager
def _answering(monkeypatch: pytest.MonkeyPatch, outcome: str) -> Iterator[list[dict[str, str]]]:
    asked: list[dict[str, str]] = []

    def check(_self: Any, values: dict[str, str], *_: Any) -> CheckResult:
        asked.append(dict(values))
        return CheckResult(outcome, "The vendor's words.", scopes_found=("all",))  # type: ignore[arg-type]

    monkeypatch.setattr(type(get_provider("twilio")), "check", check)
    yield asked


def test_an_auth_token_is_tried_first_and_both_are_accepted(
    hub: Hub, ada: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = connect(hub, ada, "twilio")
    item_id, url = issued.integration.id, issued.integration.webhook_url
    with _answering(monkeypatch, "verified") as asked:
        told = replace_secret(
            hub, ada, item_id, field="auth_token", values={"auth_token": NEW_TOKEN}
        )
    assert (told, asked[0]["auth_token"]) == ("The vendor's words.", NEW_TOKEN)
    row = _row(hub, item_id)
    assert (row.status, row.check_facts["scopes_found"]) == ("verified", ["all"])
    fields = {"MessageSid": "SM" + "1" * 32, "AccountSid": row.account_key or "", "Body": "Hi"}
    with receiving(hub) as client:
        for number, token in enumerate((AUTH_TOKEN, NEW_TOKEN)):
            signed = sign_form(url, {**fields, "MessageSid": f"SM{number}" * 8}, token=token)
            assert post(client, url, signed).status_code == 200


def test_a_secret_that_the_vendor_refuses_replaces_nothing(
    hub: Hub, ada: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    item_id = connect(hub, ada, "twilio").integration.id
    before = _row(hub, item_id).credentials
    with _answering(monkeypatch, "failed"), pytest.raises(InvalidInput) as caught:
        replace_secret(hub, ada, item_id, field="auth_token", values={"auth_token": NEW_TOKEN})
    assert caught.value.field == "auth_token"
    assert "The vendor's words." in caught.value.message
    assert _row(hub, item_id).credentials == before


def test_an_api_key_is_replaced_with_its_sid(
    hub: Hub, ada: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    item_id = connect(hub, ada, "twilio").integration.id
    values = {"api_key_sid": "SK" + "1" * 32, "api_key_secret": "quite-a-secret"}
    with _answering(monkeypatch, "accepted"):
        replace_secret(hub, ada, item_id, field="api_key_secret", values=values)
    row = _row(hub, item_id)
    assert open_values(hub.vault, row).items() >= values.items()
    # It proves no request, so there is nothing to accept meanwhile.
    assert PREVIOUS_PROOF not in row.credentials


@pytest.mark.parametrize(("field", "text"), [("auth_token", " "), ("account_sid", "AC1")])
def test_what_is_no_new_secret_is_refused(hub: Hub, ada: Actor, field: str, text: str) -> None:
    item_id = connect(hub, ada, "twilio").integration.id
    with pytest.raises(InvalidInput) as caught:
        replace_secret(hub, ada, item_id, field=field, values={field: text})
    assert caught.value.field == field


def test_an_address_overlap_is_ended_early(hub: Hub, ada: Actor) -> None:
    first = connect(hub, ada, "make")
    integrations.rotate_address(hub, ada, first.integration.id)
    assert _statuses(hub, first) == [200]
    credential_rotation.end_address_overlap(hub, ada, first.integration.id)
    assert _statuses(hub, first) == [404]
    assert integrations.get(hub, ada, first.integration.id).previous_address_until is None


def test_a_signing_overlap_is_ended_early(hub: Hub, ada: Actor) -> None:
    row = make_destination(hub, ada)
    destinations.rotate_signing_secret(hub, ada, row.id)
    end_signing_overlap(hub, ada, row.id)
    with hub.database.read() as session:
        stored = session.get_one(type(row), row.id)
    signing = open_secrets(hub.vault, stored, now()).signing
    assert len(signing) == 1
    assert SIGNING_SECRET not in signing


def test_every_replacement_is_on_record_without_secrets(
    hub: Hub, ada: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    item_id = connect(hub, ada, "twilio").integration.id
    with _answering(monkeypatch, "verified"):
        replace_secret(hub, ada, item_id, field="auth_token", values={"auth_token": NEW_TOKEN})
    credential_rotation.end_secret_overlap(hub, ada, item_id)
    with hub.database.read() as session:
        entries = session.exec(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [entry.action for entry in entries][-2:] == [
        "integration.secret_replaced",
        "integration.secret_overlap_ended",
    ]
    assert entries[-2].details["field"] == "auth_token"
    assert NEW_TOKEN not in repr(entries)
