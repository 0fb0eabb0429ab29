"""The hub's own ages: stored by staff, below those of integrations, and what rounds go by."""

import pytest
from sqlmodel import select

from lib.access import Actor
from lib.connections.integrations import Integration
from lib.errors import InvalidInput, NotAllowed
from lib.hub import Hub
from lib.models import AuditEntry
from lib.retention.ages import Ages
from lib.retention.hub_ages import get_hub_ages, list_rounds, set_hub_ages
from lib.retention.plans import get_retention, project, set_retention
from lib.retention.rounds import RetentionWork
from tests.event_factories import make_integration
from tests.factories import make_user
from tests.retention_rows import make_old_event, with_payload


@pytest.fixture
def staff(hub: Hub) -> Actor:
    return make_user(hub, "sam@example.com", "staff")


@pytest.fixture
def item(hub: Hub) -> Integration:
    return make_integration(hub, make_user(hub))


def test_the_products_ages_hold_until_staff_set_others(hub: Hub, staff: Actor) -> None:
    assert get_hub_ages(hub, staff).ages == Ages()
    kept = set_hub_ages(hub, staff, {"payload_days": 7, "index_days": None})
    assert kept == get_hub_ages(hub, staff)
    assert (kept.ages.payload_days, kept.own) == (7, {"payload_days": 7})
    set_hub_ages(hub, staff, {})
    assert get_hub_ages(hub, staff).ages == Ages()
    with hub.database.read() as session:
        entries = session.exec(select(AuditEntry).order_by(AuditEntry.id)).all()
    changes = [entry.details["changes"] for entry in entries]
    assert changes[0] == {"payload_days": {"before": "30", "after": "7"}}
    assert changes[1] == {"payload_days": {"before": "7", "after": "30"}}


def test_an_integrations_own_age_stands_above_the_hubs(
    hub: Hub, staff: Actor, item: Integration
) -> None:
    other = make_integration(hub, make_user(hub, "bob@example.com"), "Kept longer")
    set_retention(hub, staff, other.id, {"payload_days": 20})
    set_hub_ages(hub, staff, {"payload_days": 7})
    gone, kept = make_old_event(hub, item, 10), make_old_event(hub, other, 10)
    assert get_retention(hub, staff, item.id).ages.payload_days == 7
    RetentionWork(hub).run_now()
    assert with_payload(hub) == {kept}
    assert gone != kept
    by_name = {each.name: each for each in project(hub, staff).holdings}
    assert by_name["Kept longer"].has_own_ages
    assert by_name["Kept longer"].payload_days == 20


def test_a_part_goes_with_its_event_when_the_hub_keeps_events_shorter(
    hub: Hub, staff: Actor, item: Integration
) -> None:
    set_retention(hub, staff, item.id, {"payload_days": 200})
    short = {"event_days": 60, "index_days": 60}
    set_hub_ages(hub, staff, short)
    assert get_retention(hub, staff, item.id).ages.payload_days == 60
    with pytest.raises(InvalidInput, match="whole events"):
        set_retention(hub, staff, item.id, {"payload_days": 61})


def test_ages_that_make_no_sense_are_refused(hub: Hub, staff: Actor) -> None:
    with pytest.raises(InvalidInput) as refused:
        set_hub_ages(hub, staff, {"event_days": 20})
    assert refused.value.field == "payload_days"
    assert get_hub_ages(hub, staff).own == {}


def test_the_last_rounds_are_told(hub: Hub, staff: Actor, item: Integration) -> None:
    assert not list_rounds(hub, staff)
    make_old_event(hub, item, 40)
    done = RetentionWork(hub).run_now()
    (told,) = list_rounds(hub, staff)
    assert told.removed == {"payloads": 1}
    assert told.finished_at == done.finished_at


@pytest.mark.parametrize("role", ["member", "analyst"])
def test_only_staff_set_them(hub: Hub, role: str) -> None:
    actor = make_user(hub, "eve@example.com", role)
    for refused in (get_hub_ages, list_rounds, lambda h, a: set_hub_ages(h, a, {})):
        with pytest.raises(NotAllowed):
            refused(hub, actor)
