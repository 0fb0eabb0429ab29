"""The activity page: filters, the drawer, processing again."""

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from lib.hub import Hub
from lib.models import WebhookEvent
from tests.event_factories import make_event, make_integration
from tests.retention_rows import do_round, make_old_event
from tests.visitors import Visitor, visiting


@pytest.fixture
def visitor(sqlite_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    with visiting(sqlite_hub, monkeypatch) as visitor:
        yield visitor


def _ids(script: AppTest) -> list[str]:
    return list(script.dataframe[0].value["id"])


def _open_event(visitor: Visitor, event_id: str) -> AppTest:
    script = visitor.open("activity")
    script.query_params["event"] = event_id
    return script.run()


def test_an_empty_list_leads_to_the_integrations(visitor: Visitor) -> None:
    visitor.sign_in("member")
    script = visitor.open("activity")
    assert not script.exception
    assert "No events yet" in script.info[0].value


def test_filters_narrow_the_list_and_can_be_cleared(visitor: Visitor) -> None:
    item = make_integration(visitor.hub, visitor.sign_in("member"))
    failed, fine = make_event(visitor.hub, item, status="failed"), make_event(visitor.hub, item)
    script = visitor.open("activity")
    assert _ids(script) == [fine, failed]
    script.button_group(key="status").set_value("failed").run()
    assert _ids(script) == [failed]
    script.button_group(key="status").set_value("pending").run()
    assert "status=pending" in script.info[0].value
    script.button(key="activity_clear").click().run()
    assert _ids(script) == [fine, failed]


def test_older_and_newer_pages(visitor: Visitor) -> None:
    item = make_integration(visitor.hub, visitor.sign_in("member"))
    ids = [make_event(visitor.hub, item) for _ in range(52)]
    script = visitor.open("activity")
    assert _ids(script) == ids[:1:-1]
    script.button(key="activity_older").click().run()
    assert _ids(script) == [ids[1], ids[0]]
    script.button(key="activity_newer").click().run()
    assert _ids(script) == ids[:1:-1]


def test_a_failed_event_is_processed_again_from_its_drawer(visitor: Visitor) -> None:
    item = make_integration(visitor.hub, visitor.sign_in("member"))
    event_id = make_event(visitor.hub, item, status="failed")
    script = _open_event(visitor, event_id)
    assert event_id in [each.value for each in script.code]
    script.button(key="activity_retry").click().run()
    with visitor.hub.database.read() as session:
        assert session.get_one(WebhookEvent, event_id).status == "pending"


def test_the_drawer_of_another_members_event_stays_empty(visitor: Visitor) -> None:
    event_id = make_event(visitor.hub, make_integration(visitor.hub, visitor.sign_in("staff")))
    visitor.sign_in("member")
    script = _open_event(visitor, event_id)
    assert "There is no such event" in script.warning[0].value


def test_an_event_without_its_payload_says_so_in_list_and_drawer(visitor: Visitor) -> None:
    item = make_integration(visitor.hub, visitor.sign_in("member"))
    event_id = make_old_event(visitor.hub, item, 31)
    do_round(visitor.hub)
    script = _open_event(visitor, event_id)
    assert not script.exception
    assert "Payload removed after 31 days; what it was is kept." in [e.value for e in script.info]
    assert not script.json
    written = repr([each.value.to_dict() for each in script.dataframe])
    assert "Payload removed after 31 days" in written
    assert "grace@example.org" in written


def test_an_analyst_sees_masked_events_and_cannot_search(visitor: Visitor) -> None:
    item = make_integration(visitor.hub, visitor.sign_in("member"))
    event_id = make_event(visitor.hub, item, status="failed")
    visitor.sign_in("analyst")
    script = _open_event(visitor, event_id)
    assert not script.exception
    assert [each.key for each in script.text_input] == []
    assert "activity_retry" not in [each.key for each in script.button]
    written = repr([each.value.to_dict() for each in script.dataframe])
    written += repr([each.value for each in (*script.markdown, *script.json)])
    for personal in ("Grace", "4155550123", "203.0.113.77", "header-words"):
        assert personal not in written
