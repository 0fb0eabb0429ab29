"""Subscriptions and integrations that come about at once: each pair has one route."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import select

from lib.access import Actor
from lib.hub import Hub
from lib.models import Route
from lib.outgoing import hook_subscriptions
from lib.outgoing.hook_subscriptions import SubscriptionDraft, follow, subscribe
from tests.event_factories import make_integration
from tests.factories import make_user

ZAP = SubscriptionDraft("https://hooks.zapier.com/hooks/standard/123456/abcdef0123/")


def routes_of(hub: Hub) -> Counter[tuple[str, str]]:
    """Return how many routes lead from which integration to which destination."""
    with hub.database.read() as session:
        return Counter(
            (row.integration_id, row.destination_id) for row in session.exec(select(Route))
        )


def test_an_integration_that_a_new_subscription_found_is_not_routed_twice(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = make_user(hub)

    def subscribe_first(hub: Hub, actor: Actor, integration_id: str) -> int:
        made = subscribe(hub, actor, ZAP)
        assert made.integration_ids == (integration_id,)
        return follow(hub, actor, integration_id)

    monkeypatch.setattr(hook_subscriptions, "follow", subscribe_first)
    make_integration(hub, ada)
    assert list(routes_of(hub).values()) == [1]


def test_whatever_comes_first_each_pair_has_one_route(hub: Hub) -> None:
    ada = make_user(hub)
    make_integration(hub, make_user(hub, "bob@example.com"), "Bob's")
    with ThreadPoolExecutor(6) as pool:
        places = [pool.submit(subscribe, hub, ada, ZAP) for _ in range(3)]
        items = [pool.submit(make_integration, hub, ada, f"Item {n}") for n in range(3)]
    pairs = {(item.result().id, place.result().id) for item in items for place in places}
    assert routes_of(hub) == Counter(pairs)
