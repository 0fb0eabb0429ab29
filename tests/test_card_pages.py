"""Cards for screens: narrowed, page by page, and never more than a browser should get."""

from collections.abc import Iterator

import pytest

from lib import overview
from lib.access import Actor
from lib.card_pages import CardFilters, by_attention, card_page
from lib.connections import integrations
from lib.connections.choices import list_choices
from lib.errors import InvalidInput
from lib.hub import Hub
from lib.models import IntegrationConfig
from lib.overview import Card
from tests.event_factories import make_event, make_integration
from tests.factories import make_user
from tests.visitors import Visitor, visiting

_MANY = 300


@pytest.fixture
def visitor(sqlite_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    with visiting(sqlite_hub, monkeypatch) as visitor:
        yield visitor


def _make_many(hub: Hub, actor: Actor, count: int = _MANY) -> None:
    """Copy one connection; adding each by its use case would take minutes."""
    item = make_integration(hub, actor, "Shop 000")
    with hub.database.write() as session:
        row = session.get(IntegrationConfig, item.id)
        assert row is not None
        stored = row.model_dump(exclude={"id", "name", "token_digest"})
        for number in range(1, count):
            name = f"Shop {number:03}"
            session.add(IntegrationConfig(**stored, id=f"int_{number:032}", name=name))


def _pages(hub: Hub, actor: Actor, filters: CardFilters, limit: int) -> list[list[str]]:
    pages, cursor = [], None
    while not pages or cursor:
        page = card_page(hub, actor, filters, cursor=cursor, limit=limit)
        pages.append([card.integration.name for card in page.rows])
        cursor = page.next_cursor
    return pages


def test_pages_follow_each_other_by_name(hub: Hub) -> None:
    ada, bob = make_user(hub), make_user(hub, "bob@example.com")
    for name in ("Orders", "desk", "Desk", "Zebra", "Ärzte"):
        make_integration(hub, ada, name)
    make_integration(hub, bob, "Other")
    found = _pages(hub, ada, CardFilters(), 2)
    assert [len(page) for page in found] == [2, 2, 1]
    assert sorted(found[0]) == ["Desk", "desk"]
    assert [*found[1], *found[2]] == ["Orders", "Zebra", "Ärzte"]
    assert _pages(hub, ada, CardFilters(search="är"), 2) == [["Ärzte"]]


def test_a_page_goes_on_after_a_row_that_was_removed_meanwhile(hub: Hub) -> None:
    ada = make_user(hub)
    first, _ = make_integration(hub, ada, "A one"), make_integration(hub, ada, "B two")
    page = card_page(hub, ada, CardFilters(), limit=1)
    integrations.remove(hub, ada, first.id, typed_name="A one")
    after = card_page(hub, ada, CardFilters(), cursor=page.next_cursor, limit=1)
    assert [card.integration.name for card in after.rows] == ["B two"]
    with pytest.raises(InvalidInput, match="Begin at the first one"):
        card_page(hub, ada, CardFilters(), cursor="nowhere")


def test_a_status_is_looked_for_in_all(hub: Hub) -> None:
    ada = make_user(hub)
    _make_many(hub, ada, 205)
    last = next(item for item in integrations.list_all(hub, ada) if item.name == "Shop 204")
    make_event(hub, last, status="failed")
    assert _pages(hub, ada, CardFilters(state="failing"), 10) == [["Shop 204"]]
    assert len(_pages(hub, ada, CardFilters(state="needs_setup"), 100)) == 3


def test_those_that_need_somebody_come_first_then_the_busiest(hub: Hub) -> None:
    ada = make_user(hub)
    make_integration(hub, ada, "Quiet")
    paused = make_integration(hub, ada, "A paused")
    integrations.pause(hub, ada, paused.id)
    failing = make_integration(hub, ada, "Failing")
    make_event(hub, failing, status="failed")
    make_event(hub, make_integration(hub, ada, "Well"))
    found: list[Card] = by_attention(overview.first_screen(hub, ada)[1])
    names = [card.integration.name for card in found]
    assert names == ["Failing", "Quiet", "Well", "A paused"]


def test_the_card_of_one_is_what_the_list_shows(hub: Hub) -> None:
    ada = make_user(hub)
    item, other = make_integration(hub, ada, "One"), make_integration(hub, ada, "Two")
    make_event(hub, item, status="failed")
    make_event(hub, other)
    every = {card.integration.id: card for card in overview.first_screen(hub, ada)[1]}
    assert overview.card(hub, ada, item.id) == every[item.id]
    assert overview.card(hub, ada, other.id) == every[other.id]


def test_a_box_offers_two_hundred_and_the_one_that_is_asked_for(hub: Hub) -> None:
    ada, bob = make_user(hub), make_user(hub, "bob@example.com")
    _make_many(hub, ada)
    foreign = make_integration(hub, bob, "Other").id
    offered = list_choices(hub, ada, also="int_" + f"{299:032}")
    assert len(offered) == 200
    assert (offered[0].name, offered[-1].name) == ("Shop 000", "Shop 299")
    assert foreign not in {item.id for item in list_choices(hub, ada, also=foreign)}


def test_no_screen_sends_more_than_two_hundred_rows(visitor: Visitor) -> None:
    actor = visitor.sign_in("member")
    _make_many(visitor.hub, actor)
    for item in integrations.list_all(visitor.hub, actor)[:60]:
        make_event(visitor.hub, item, status="failed")
    script = visitor.open("integrations")
    cards = [each for each in script.button if str(each.key).startswith("integrations_open")]
    assert len(cards) == 24
    script.button(key="integrations_older").click().run()
    assert "**Shop 024**" in [each.value for each in script.markdown]
    script.toggle(key="integrations_table").set_value(True).run()
    assert len(script.dataframe[0].value) == 100
    assert not script.exception

    script = visitor.open("overview")
    (table,) = [each for each in script.dataframe if "hourly" in each.value]
    assert len(table.value) == 200
    assert set(table.value["name"][:60]) == {f"Shop {number:03}" for number in range(60)}
    assert sum("1 failed event" in each.value for each in script.markdown) == 10
    assert "and 50 more" in [each.value for each in script.caption]
    script.toggle(key="overview_table").set_value(False).run()
    assert len([each for each in script.metric if each.label == "Events, 24 h"]) == 24
    assert any("24 of 300" in each.value for each in script.caption)

    script = visitor.open("rejected")
    assert len(script.selectbox(key="rejected_integration").options) == 200
    assert "Only the first 200" in script.selectbox(key="rejected_integration").help
