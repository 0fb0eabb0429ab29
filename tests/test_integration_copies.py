"""Copies, histories and removals of connections, on both databases."""

import pytest
from sqlmodel import select

from lib.connections import integrations
from lib.connections.copies import duplicate
from lib.connections.history import list_history
from lib.errors import NotFound
from lib.hub import Hub
from lib.models import Delivery, IntegrationConfig
from lib.outgoing.integration_queue import count_open
from lib.providers.registry import all_providers
from lib.vault.row_secrets import open_values
from tests.event_factories import SID, TOKEN, make_event, make_integration
from tests.factories import make_user
from tests.outgoing_factories import make_delivery, make_destination
from tests.receiving import receiving


def test_a_copy_has_settings_but_no_secret(hub: Hub) -> None:
    owner = make_user(hub)
    staff = make_user(hub, "sam@example.com", "staff")
    item = make_integration(hub, owner)
    made = duplicate(hub, staff, item.id)
    assert made.inbound_secret is None
    assert (made.integration.name, made.integration.user_id) == ("Front desk (copy)", owner.id)
    assert not made.integration.is_active
    assert made.integration.webhook_url != item.webhook_url
    with hub.database.read() as session:
        row = session.get_one(IntegrationConfig, made.integration.id)
        assert open_values(hub.vault, row) == {"account_sid": SID}
        assert row.account_key is None
    values = {"account_sid": SID, "auth_token": TOKEN}
    integrations.update(hub, owner, made.integration.id, name="Second", values=values)
    with hub.database.read() as session:
        assert session.get_one(IntegrationConfig, made.integration.id).account_key == SID


@pytest.mark.parametrize("slug", [provider.slug for provider in all_providers()])
def test_a_copy_refuses_what_it_cannot_prove(hub: Hub, slug: str) -> None:
    owner = make_user(hub)
    item = make_integration(hub, owner, "x" * 80, service_name=slug)
    made = duplicate(hub, owner, item.id)
    assert len(made.integration.name) == 80
    path = "/api/" + made.integration.webhook_url.partition("/api/")[2]
    with receiving(hub) as client:
        assert client.post(path, json={"a": 1}).status_code in (401, 403)


def test_the_history_tells_who_did_what_last_first(hub: Hub) -> None:
    owner = make_user(hub)
    item = make_integration(hub, owner)
    integrations.pause(hub, owner, item.id)
    first = list_history(hub, owner, item.id, limit=1)
    assert [(deed.actor, deed.action) for deed in first.rows] == [
        (owner.email, "integration.paused")
    ]
    rest = list_history(hub, owner, item.id, cursor=first.next_cursor)
    assert [deed.action for deed in rest.rows] == ["integration.added"]
    assert rest.next_cursor is None
    assert TOKEN not in repr(rest.rows)
    with pytest.raises(NotFound):
        list_history(hub, make_user(hub, "bob@example.com"), item.id)


def test_a_removal_cancels_what_is_on_its_way_of_this_connection_alone(hub: Hub) -> None:
    owner = make_user(hub)
    item, other = (make_integration(hub, owner, name) for name in ("a", "b"))
    place = make_destination(hub, owner)
    event_id = make_event(hub, item)
    for status in ("pending", "retrying", "sending", "delivered"):
        make_delivery(hub, event_id, place, status=status)
    kept = make_delivery(hub, make_event(hub, other), place)
    assert count_open(hub, owner, item.id) == 3
    assert integrations.remove(hub, owner, item.id, typed_name="a") == 3
    with hub.database.read() as session:
        rows = session.exec(select(Delivery).where(Delivery.event_id == event_id)).all()
        assert sorted(row.status for row in rows) == ["cancelled"] * 3 + ["delivered"]
        assert all(row.finished_at and not row.lease_id for row in rows)
        assert session.get_one(Delivery, kept.id).status == "pending"
