"""Reading refused requests, on both databases."""

import pytest

from lib.errors import NotFound
from lib.hub import Hub
from lib.rejections import get_rejection, list_rejections
from tests.event_factories import make_integration, make_rejection
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
    assert list_rejections(hub, actor, service_name="twilio", reason="wrong_signature").rows
    assert not list_rejections(hub, actor, service_name="make").rows
    assert not list_rejections(hub, actor, reason="stale").rows


def test_an_unknown_refusal_is_not_found(hub: Hub) -> None:
    with pytest.raises(NotFound):
        get_rejection(hub, make_user(hub), "rej_0")
