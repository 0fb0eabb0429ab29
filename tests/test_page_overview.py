"""The overview page: what each role is shown."""

from collections.abc import Iterator

import pytest

from lib.connections import integrations
from lib.hub import Hub
from tests.event_factories import make_event, make_integration, make_rollup
from tests.outgoing_factories import make_delivery, make_destination, make_issue
from tests.visitors import Visitor, visiting


@pytest.fixture
def visitor(sqlite_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    with visiting(sqlite_hub, monkeypatch) as visitor:
        yield visitor


def test_a_new_member_sees_three_steps(visitor: Visitor) -> None:
    visitor.sign_in("member")
    script = visitor.open()
    assert not script.exception
    assert [each.value for each in script.subheader] == ["Three steps to your first event"]
    assert script.info[0].value == "Waiting for the first event…"


def test_figures_and_needs_are_shown(visitor: Visitor) -> None:
    actor = visitor.sign_in("member")
    item = make_integration(visitor.hub, actor, "Desk *one*")
    make_rollup(visitor.hub, item, 1204)
    make_event(visitor.hub, item, status="failed")
    script = visitor.open()
    assert not script.exception
    tiles = {each.label: each.value for each in script.metric}
    assert (tiles["Received, 24 h"], tiles["Failing now"]) == ("1,204", "1")
    assert any("1 failed event" in each.value for each in script.markdown)
    assert any(r"Desk \*one\*" in each.value for each in script.markdown)


def test_open_issues_need_somebody(visitor: Visitor) -> None:
    actor = visitor.sign_in("member")
    item = make_integration(visitor.hub, actor)
    place = make_destination(visitor.hub, actor, "Warehouse")
    event_id = make_event(visitor.hub, item)
    make_issue(visitor.hub, make_delivery(visitor.hub, event_id, place, status="dead"))
    script = visitor.open()
    assert not script.exception
    assert any("**Warehouse**: 1 dead letter" in each.value for each in script.markdown)


def test_a_week_is_drawn_on_demand(visitor: Visitor) -> None:
    actor = visitor.sign_in("member")
    make_rollup(visitor.hub, make_integration(visitor.hub, actor), 3)
    script = visitor.open()
    script.button_group(key="overview_period").set_value("7d").run()
    assert not script.exception
    assert script.button_group(key="overview_period").value == "7d"


@pytest.mark.parametrize("page", ["overview", "integrations"])
def test_integrations_are_a_table_where_the_address_says_so(visitor: Visitor, page: str) -> None:
    make_event(visitor.hub, make_integration(visitor.hub, visitor.sign_in("member"), "Desk"))
    script = visitor.open(page)
    script.toggle(key=f"{page}_table").set_value(True).run()
    assert not script.exception
    assert script.query_params["table"] == "true"
    assert script.dataframe[0].value["name"].tolist() == ["Desk"]


def test_a_paused_integration_asks_for_nothing(visitor: Visitor) -> None:
    actor = visitor.sign_in("member")
    item = make_integration(visitor.hub, actor)
    make_event(visitor.hub, item, status="failed")
    integrations.pause(visitor.hub, actor, item.id)
    script = visitor.open()
    assert any("Every connection is in order" in each.value for each in script.caption)


def test_an_analyst_reads_figures_of_all_without_owners(visitor: Visitor) -> None:
    actor = visitor.sign_in("member")
    item = make_integration(visitor.hub, actor)
    make_rollup(visitor.hub, item, 3)
    make_event(visitor.hub, item)
    visitor.sign_in("analyst")
    script = visitor.open()
    assert not script.exception
    assert [each.value for each in script.subheader] == ["Volume", "Integrations"]
    written = " ".join(each.value for each in (*script.markdown, *script.caption))
    assert "member@example.com" not in written
