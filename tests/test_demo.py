"""The demo goes through the real receiver and marks what it makes."""

import pytest
from sqlmodel import select

from lib import overview
from lib.access import Actor, Role
from lib.clock import now
from lib.connections import integrations
from lib.demo.fill import MEMBER, fill
from lib.errors import InvalidInput
from lib.events import reading as events
from lib.events.reading import EventFilters
from lib.hub import Hub
from lib.intake import rejections
from lib.models import User
from lib.outgoing import deliveries, issues
from lib.outgoing.delivery_filters import DeliveryFilters
from lib.people.sessions import actor_of_user
from webhook_receiver.app import create_app


def demo_member(hub: Hub) -> Actor:
    with hub.database.read() as session:
        return actor_of_user(session.exec(select(User).where(User.email == MEMBER)).one())


def test_demo_fills_a_fresh_hub_once(hub: Hub) -> None:
    filled = fill(hub.settings, create_app)
    assert filled.password
    assert filled.password not in repr(filled)
    assert set(filled.answers) <= {200, 204, 403}
    member = demo_member(hub)
    assert member.role is Role.MEMBER
    names = [integration.name for integration in integrations.list_all(hub, member)]
    assert len(names) == 4
    assert all(name.endswith("(demo)") for name in names)
    page = events.list_events(hub, member, EventFilters(), limit=200)
    assert {row.status for row in page.rows} == {"success"}
    assert max(row.created_at for row in page.rows) < now()
    assert filled.answers[403] == len(rejections.list_rejections(hub, member).rows)
    assert overview.first_screen(hub, member)[0].received > 50
    sent = deliveries.list_deliveries(hub, member, DeliveryFilters(), limit=200).rows
    assert {"delivered", "accepted", "dead"} <= {row.status for row in sent}
    assert max(row.created_at for row in sent) < now()
    assert issues.count_open(hub, member) >= 2
    with pytest.raises(InvalidInput, match="already"):
        fill(hub.settings, create_app)
