"""Tags on events: their form, whose events they reach, and what is put on record."""

import pytest
from sqlmodel import col, select

from lib.access import Actor
from lib.errors import InvalidInput, NotFound
from lib.events.reading import EventFilters, get_event, list_events
from lib.events.tags import MOST_TAGS, add_tag, read_tag, remove_tag
from lib.hub import Hub
from lib.models import AuditEntry
from tests.event_factories import make_event, make_integration
from tests.factories import make_user


def _tags(hub: Hub, actor: Actor, event_id: str) -> list[str]:
    return [value for kind, value in get_event(hub, actor, event_id).keys if kind == "tag"]


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("case=4711", "case=4711"),
        ("  Case = vip customer ", "case=vip customer"),
        ("a.b-c_d=x=y", "a.b-c_d=x=y"),
        ("k=" + "v" * 100, "k=" + "v" * 100),
    ],
)
def test_a_tag_is_stored_in_one_form(text: str, stored: str) -> None:
    assert read_tag(text) == stored


@pytest.mark.parametrize(
    "text", ["", "vip", "=x", "x=", "x= ", "-a=b", "a b=c", "k=" + "v" * 101, "k=a\x00b", "k=\n"]
)
def test_what_is_no_tag_is_refused_in_words(text: str) -> None:
    with pytest.raises(InvalidInput, match="key=value") as caught:
        read_tag(text)
    assert caught.value.field == "tag"


def test_a_tag_is_put_on_many_found_by_it_and_taken_off(hub: Hub) -> None:
    ada = make_user(hub)
    item = make_integration(hub, ada)
    first, second = make_event(hub, item), make_event(hub, item)
    assert add_tag(hub, ada, [first], "Case=4711") == 1
    assert add_tag(hub, ada, [first, second, "evt_gone"], "case=4711") == 1
    assert _tags(hub, ada, first) == _tags(hub, ada, second) == ["case=4711"]
    found = list_events(hub, ada, EventFilters(search="case=4711")).rows
    assert [row.id for row in found] == [second, first]
    assert remove_tag(hub, ada, [first, second], "case=4711") == 2
    assert remove_tag(hub, ada, [first], "case=4711") == 0
    assert _tags(hub, ada, first) == []
    with hub.database.read() as session:
        kept = select(AuditEntry).where(col(AuditEntry.action).like("event.%tagged"))
        entries = session.exec(kept.order_by(col(AuditEntry.id))).all()
    assert [(entry.action, entry.object_id) for entry in entries] == [
        ("event.tagged", first),
        ("event.tagged", second),
        ("event.untagged", first),
        ("event.untagged", second),
    ]
    assert {entry.details["tag"] for entry in entries} == {"case=4711"}


def test_anothers_events_are_passed_over(hub: Hub) -> None:
    ada, bob = make_user(hub), make_user(hub, "bob@example.com")
    own = make_event(hub, make_integration(hub, ada))
    others = make_event(hub, make_integration(hub, bob))
    assert add_tag(hub, ada, [own, others], "vip=yes") == 1
    assert _tags(hub, bob, others) == []
    with pytest.raises(NotFound):
        add_tag(hub, ada, [others], "vip=yes")


def test_an_event_has_so_many_tags_and_no_more(hub: Hub) -> None:
    ada = make_user(hub)
    event_id = make_event(hub, make_integration(hub, ada))
    for number in range(MOST_TAGS):
        add_tag(hub, ada, [event_id], f"n={number}")
    assert add_tag(hub, ada, [event_id], "n=0") == 0
    with pytest.raises(InvalidInput, match="which is the most"):
        add_tag(hub, ada, [event_id], "n=more")
    with pytest.raises(InvalidInput, match="1 to 200"):
        add_tag(hub, ada, [], "n=1")
