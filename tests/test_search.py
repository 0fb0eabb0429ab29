"""Finding events by phone, e-mail, id and words, on both databases."""

import pytest

from lib.events.reading import EventFilters, list_events
from lib.hub import Hub
from tests.event_factories import SMS, make_event, make_integration
from tests.factories import make_user


@pytest.mark.parametrize(
    "query",
    [
        "+14155550123",
        "(415) 555-0123",
        "grace@example.org",
        "GRACE@EXAMPLE.ORG",
        "hopper",
        "Hallo Grace",
        SMS["MessageSid"],
    ],
)
def test_an_event_is_found(hub: Hub, query: str) -> None:
    actor = make_user(hub)
    event_id = make_event(hub, make_integration(hub, actor))
    found = list_events(hub, actor, EventFilters(search=query)).rows
    assert [row.id for row in found] == [event_id]


@pytest.mark.parametrize(
    "query", ["nobody", "Grace nobody", '"', "* OR *", "NEAR(", "'; --", "%", "a\x00b", "\ud800"]
)
def test_words_that_are_not_there_and_syntax_find_nothing(hub: Hub, query: str) -> None:
    actor = make_user(hub)
    make_event(hub, make_integration(hub, actor))
    assert not list_events(hub, actor, EventFilters(search=query)).rows


def test_the_own_id_of_an_event_finds_it(hub: Hub) -> None:
    actor = make_user(hub)
    event_id = make_event(hub, make_integration(hub, actor))
    found = list_events(hub, actor, EventFilters(search=f" {event_id} ")).rows
    assert [row.id for row in found] == [event_id]
