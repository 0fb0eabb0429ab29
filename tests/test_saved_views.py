"""Views of lists: built in, own, and nobody else's."""

import pytest

from lib.access import Actor
from lib.errors import InvalidInput, NotFound
from lib.hub import Hub
from lib.lists.saved_views import BUILT_IN, MOST, list_views, remove_view, rename_view, save_view
from tests.factories import make_user


@pytest.fixture
def ada(hub: Hub) -> Actor:
    return make_user(hub)


def own(hub: Hub, actor: Actor, page: str = "activity") -> list[tuple[str, str]]:
    return [(view.name, view.query) for view in list_views(hub, actor, page) if view.id]


def test_a_view_is_kept_replaced_renamed_and_removed(hub: Hub, ada: Actor) -> None:
    view = save_view(hub, ada, page="activity", name="  My   SMS ", query="service=x")
    save_view(hub, ada, page="activity", name="My SMS", query="service=x&range=24h")
    assert own(hub, ada) == [("My SMS", "service=x&range=24h")]
    rename_view(hub, ada, view.id or "", name="Texts")
    assert own(hub, ada) == [("Texts", "service=x&range=24h")]
    assert own(hub, ada, "deliveries") == []
    remove_view(hub, ada, view.id or "")
    assert own(hub, ada) == []


def test_built_in_views_come_first(hub: Hub, ada: Actor) -> None:
    save_view(hub, ada, page="activity", name="A", query="status=dead")
    names = [view.name for view in list_views(hub, ada, "activity")]
    assert names == [*(view.name for view in BUILT_IN["activity"]), "A"]


@pytest.mark.parametrize("role", ["member", "staff"])
def test_views_are_of_their_owner_alone(hub: Hub, ada: Actor, role: str) -> None:
    view = save_view(hub, ada, page="activity", name="A", query="status=dead")
    other = make_user(hub, "sam@example.com", role)
    assert own(hub, other) == []
    with pytest.raises(NotFound):
        rename_view(hub, other, view.id or "", name="B")
    with pytest.raises(NotFound):
        remove_view(hub, other, view.id or "")


@pytest.mark.parametrize(
    ("name", "query", "field"),
    [
        ("", "a=b", "name"),
        ("x" * 61, "a=b", "name"),
        ("Dead letters", "a=b", "name"),
        ("Fine", "", "query"),
        ("Fine", "x" * 2_001, "query"),
    ],
)
def test_what_cannot_be_kept_is_said(
    hub: Hub, ada: Actor, name: str, query: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        save_view(hub, ada, page="activity", name=name, query=query)
    assert caught.value.field == field


def test_two_views_of_one_name_are_refused(hub: Hub, ada: Actor) -> None:
    first = save_view(hub, ada, page="activity", name="A", query="status=dead")
    save_view(hub, ada, page="activity", name="B", query="status=dead")
    with pytest.raises(InvalidInput, match="already"):
        rename_view(hub, ada, first.id or "", name="B")


def test_there_is_an_end_to_views(sqlite_hub: Hub) -> None:
    ada = make_user(sqlite_hub)
    for number in range(MOST):
        save_view(sqlite_hub, ada, page="activity", name=str(number), query="status=dead")
    with pytest.raises(InvalidInput, match="which is the most"):
        save_view(sqlite_hub, ada, page="activity", name="more", query="status=dead")
