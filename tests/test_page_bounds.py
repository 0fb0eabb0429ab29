"""No screen sends more than 200 rows to the browser, however much there is."""

from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib.hub import Hub
from lib.ids import new_id
from lib.models import (
    Delivery,
    Destination,
    DestinationState,
    IntegrationConfig,
    Route,
    User,
    WebhookEvent,
)
from tests.event_factories import make_event, make_integration
from tests.factories import make_user
from tests.outgoing_factories import make_delivery, make_destination, make_route
from tests.visitors import ROOT, Visitor, visiting

# Fewer cards than rows: a card is many elements.
MANY, MOST_ROWS, MOST_DRAWN = 230, 200, 400
PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))


@pytest.fixture
def crowded(sqlite_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    """A visitor of staff to a hub with more of everything than a page may hold."""
    with visiting(sqlite_hub, monkeypatch) as visitor:
        visitor.sign_in("staff")
        _fill(sqlite_hub)
        yield visitor


def _fill(hub: Hub) -> None:
    ada = make_user(hub)
    item = make_integration(hub, ada)
    place = make_destination(hub, ada)
    event_id = make_event(hub, item)
    kept = {
        User: ada.id,
        IntegrationConfig: item.id,
        Destination: place.id,
        Route: make_route(hub, item, place).id,
        WebhookEvent: event_id,
        Delivery: make_delivery(hub, event_id, place, status="dead").id,
    }
    with hub.database.write() as session:
        for model, row_id in kept.items():
            row = session.get_one(model, row_id)
            copies = [_copy(row) for _ in range(MANY)]
            session.add_all(copies)
            session.flush()
            if model is Destination:
                state = session.get_one(DestinationState, row_id).model_dump()
                given = ({**state, "destination_id": each.id} for each in copies)
                session.add_all(DestinationState(**each) for each in given)


def _copy(row: Any) -> Any:
    fresh = new_id(row.id[:3])
    unique = dict.fromkeys(("email", "name", "token_digest", "dedupe_key"), fresh)
    values = row.model_dump()
    return type(row)(**{**values, **{n: unique[n] for n in unique if values.get(n)}, "id": fresh})


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_bounded(crowded: Visitor, page: str) -> None:
    script = crowded.open(page)
    assert not script.exception
    for table in script.dataframe:
        assert len(table.value) <= MOST_ROWS
    assert _drawn(script) <= MOST_DRAWN


@pytest.mark.parametrize(
    ("page", "rows", "note"),
    [("overview", 200, f"of {MANY + 1}: first those"), ("integrations", 100, "by name")],
)
def test_integrations_are_bounded_in_both_shapes(
    crowded: Visitor, page: str, rows: int, note: str
) -> None:
    script = crowded.open(page)
    drawn = [bool(script.dataframe)]
    script.toggle(key=f"{page}_table").set_value(not drawn[0]).run()
    drawn.append(bool(script.dataframe))
    assert sorted(drawn) == [False, True]
    assert all(len(table.value) == rows for table in script.dataframe)
    assert _drawn(script) <= MOST_DRAWN
    assert any(note in each.value for each in script.caption)


def _drawn(script: AppTest) -> int:
    kinds = (script.button, script.markdown, script.caption, script.metric, script.selectbox)
    return sum(len(kind) for kind in kinds)
