"""Reading refused requests, on both databases."""

from datetime import timedelta
from typing import Any

import pytest

from lib.access import Actor
from lib.clock import now
from lib.errors import NotFound
from lib.hub import Hub
from lib.intake.rejections import RejectionFilters, get_rejection, list_reasons, list_rejections
from tests.event_factories import make_integration, make_rejection, make_rollup
from tests.factories import make_user


def test_a_refusal_says_what_helps_to_mend_it(hub: Hub) -> None:
    actor = make_user(hub)
    rejection_id = make_rejection(hub, make_integration(hub, actor), not_kept=3)
    found = get_rejection(hub, actor, rejection_id)
    assert found.message.endswith("Enter the account's primary Auth Token.")
    assert dict(found.facts) == {"tried": "1 URL", "key": "auth_token"}
    assert (found.body, found.not_kept, found.response_code) == ("Body=secret+words", 3, 403)


def test_the_list_is_newest_first_and_pages(hub: Hub) -> None:
    actor = make_user(hub)
    item = make_integration(hub, actor)
    ids = [make_rejection(hub, item) for _ in range(3)]
    first = list_rejections(hub, actor, limit=2)
    assert [row.id for row in first.rows] == [ids[2], ids[1]]
    second = list_rejections(hub, actor, cursor=first.next_cursor, limit=2)
    assert [row.id for row in second.rows] == [ids[0]]


def test_the_list_narrows_by_service_and_reason(hub: Hub) -> None:
    actor = make_user(hub)
    make_rejection(hub, make_integration(hub, actor))
    assert _found(hub, actor, service_name="twilio", reason="wrong_signature")
    assert not _found(hub, actor, service_name="make")
    assert not _found(hub, actor, reason="stale")


def test_an_unknown_refusal_is_not_found(hub: Hub) -> None:
    with pytest.raises(NotFound):
        get_rejection(hub, make_user(hub), "rej_0")


def _found(hub: Hub, actor: Actor, **narrowed: Any) -> list[str]:
    page = list_rejections(hub, actor, RejectionFilters(**narrowed))
    return [row.id for row in page.rows]


def test_the_list_is_narrowed_by_integration_time_and_words(hub: Hub) -> None:
    ada, bob = make_user(hub), make_user(hub, "bob@example.com")
    item, other = make_integration(hub, ada), make_integration(hub, ada, "Second")
    first, second = make_rejection(hub, item), make_rejection(hub, other)
    assert _found(hub, ada, integration_id=item.id) == [first]
    assert _found(hub, ada, since=now() - timedelta(minutes=1)) == [second, first]
    assert _found(hub, ada, since=now() + timedelta(minutes=1)) == []
    assert _found(hub, ada, search="AUTH token") == [second, first]
    assert _found(hub, ada, search=first) == [first]
    assert _found(hub, ada, search="100%") == _found(hub, bob) == []
    make_rollup(hub, item, 2, outcome="rejected", event_type="wrong_signature")
    assert list_reasons(hub, ada) == ["wrong_signature"]
    assert list_reasons(hub, bob) == []
