"""Credentials as rows: how they stand, when they were used, and pages of them, on both engines."""

import json
from datetime import timedelta

import pytest

from lib.access import Actor
from lib.clock import now, shifted
from lib.connections import integrations
from lib.credentials.rows import Credential, State
from lib.credentials.views import (
    CredentialFilters,
    credentials_of,
    find_dependents,
    get_credential,
    list_credentials,
)
from lib.http import CallRecord
from lib.hub import Hub
from lib.models import IntegrationConfig, WebhookEvent
from lib.vendors.api_calls import keep_calls
from tests.event_factories import TOKEN, make_event, make_integration
from tests.factories import make_user
from tests.oauth_clients import make_grant
from tests.outgoing_factories import make_delivery, make_destination, make_route


@pytest.fixture
def ada(hub: Hub) -> Actor:
    return make_user(hub)


def _listed(hub: Hub, actor: Actor, filters: CredentialFilters) -> list[tuple[str, str]]:
    rows = list_credentials(hub, actor, filters).rows
    return [(row.object_name, row.field) for row in rows]


def _one(hub: Hub, actor: Actor, object_id: str, field: str) -> Credential:
    return get_credential(hub, actor, f"{object_id}.{field}")


def test_states_narrow_the_list(hub: Hub, ada: Actor) -> None:
    desk = make_integration(hub, ada)
    with shifted(timedelta(days=-85)):
        values = {"location_id": "loc1", "private_token": "pit-of-old-times"}
        integrations.add(hub, ada, service_name="gohighlevel", name="Studio", values=values)
    shop = make_integration(hub, ada, "Shop", service_name="make")
    integrations.reissue_secret(hub, ada, shop.id)
    with hub.database.write() as session:
        row = session.get_one(IntegrationConfig, desk.id)
        row.status, row.status_message, row.checked_at = "failed", "Refused.", now()
    wanted = {
        State.OLD: [("Studio", "private_token")],
        State.FAILING: [("Front desk", "auth_token")],
        State.EXPIRING: [("Shop", "inbound_secret")],
        State.MISSING: [],
    }
    for state, rows in wanted.items():
        assert _listed(hub, ada, CredentialFilters(state=state)) == rows, state
    with hub.database.write() as session:
        session.get_one(IntegrationConfig, shop.id).credentials = {}
    assert _listed(hub, ada, CredentialFilters(state=State.MISSING)) == [("Shop", "inbound_secret")]


def test_pages_hold_each_object_once_and_whole(hub: Hub, ada: Actor) -> None:
    for number in range(4):
        make_integration(hub, ada, f"Desk {number}")
        make_destination(hub, ada, f"Place {number}")
    seen: list[str] = []
    cursor = None
    while True:
        page = list_credentials(hub, ada, CredentialFilters(), cursor=cursor, limit=3)
        seen += [row.key for row in page.rows]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 16


def test_a_use_is_told_by_the_key_that_proved_the_event(hub: Hub, ada: Actor) -> None:
    item = make_integration(hub, ada)
    assert _one(hub, ada, item.id, "auth_token").last_used_at is None
    event_id = make_event(hub, item, age=timedelta(hours=2))
    used = _one(hub, ada, item.id, "auth_token").last_used_at
    assert used == _one(hub, ada, item.id, "webhook_address").last_used_at
    assert used is not None
    # What only the secret before could prove is no use of the present one.
    with hub.database.write() as session:
        event = session.get_one(WebhookEvent, event_id)
        proof = {"key": "auth_token", "secret": "the one before the rotation"}
        event.verification = json.dumps(proof)
    assert _one(hub, ada, item.id, "auth_token").last_used_at is None
    with hub.database.write() as session:
        row = session.get_one(IntegrationConfig, item.id)
        keep_calls(session, row, [CallRecord("GET", "/x", 200, 5, None)])
    assert _one(hub, ada, item.id, "auth_token").is_used


def test_a_delivery_is_a_use_of_its_destination(hub: Hub, ada: Actor) -> None:
    item, place = make_integration(hub, ada), make_destination(hub, ada)
    event_id = make_event(hub, item)
    make_delivery(hub, event_id, place)
    assert [row.last_used_at for row in credentials_of(hub, ada, place.id)] == [None, None]
    sent = make_delivery(hub, event_id, place, status="delivered")
    rows = credentials_of(hub, ada, place.id)
    assert {row.last_used_at for row in rows} == {sent.finished_at}


def test_an_authorisation_is_a_credential_that_ends(hub: Hub, ada: Actor) -> None:
    item = make_integration(hub, ada, "Studio", service_name="gohighlevel")
    make_grant(hub, item, facts={})
    row = _one(hub, ada, item.id, "authorisation")
    assert row.expires_at is not None
    assert row.is_set


def test_dependents_are_named(hub: Hub, ada: Actor) -> None:
    item, place = make_integration(hub, ada), make_destination(hub, ada)
    make_route(hub, item, place, "To the warehouse")
    assert find_dependents(hub, ada, item.id).routes == ("To the warehouse",)
    assert find_dependents(hub, ada, place.id).routes == ("To the warehouse",)


def test_rows_hold_no_secret(hub: Hub, ada: Actor) -> None:
    item = make_integration(hub, ada)
    shown = repr(list_credentials(hub, ada, CredentialFilters(with_optional=True)).rows)
    assert TOKEN not in shown
    assert item.webhook_url.rpartition("/")[2] not in shown
