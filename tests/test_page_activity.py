"""The activity page: filters, the drawer, processing again."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import col, select
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block

from lib.clock import now
from lib.hub import Hub
from lib.lists.saved_views import BUILT_IN, list_views
from lib.models import Delivery, WebhookEvent
from lib.ui import time_filter
from tests.event_factories import make_event, make_integration, make_rollup
from tests.outgoing_factories import make_attempt, make_delivery, make_destination
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
    member = visitor.sign_in("member")
    script = visitor.open("activity")
    assert not script.exception
    assert "Nothing is connected yet" in script.info[0].value
    make_integration(visitor.hub, member)
    assert "No events yet" in script.run().info[0].value


def test_filters_narrow_the_list_and_can_be_cleared(visitor: Visitor) -> None:
    item = make_integration(visitor.hub, visitor.sign_in("member"))
    failed, fine = make_event(visitor.hub, item, status="failed"), make_event(visitor.hub, item)
    script = visitor.open("activity")
    assert _ids(script) == [fine, failed]
    script.selectbox(key="activity_status").set_value("failed").run()
    assert _ids(script) == [failed]
    script.selectbox(key="activity_status").set_value("pending").run()
    make_rollup(visitor.hub, item, 12_431)
    assert "0 of 12,431 events match status\\: Pending" in script.run().info[0].value
    script.query_params["integration"] = item.id
    clear = script.run().button(key="activity_clear_integration")
    assert clear.label == "Clear integration\\: Front desk"
    clear.click().run()
    script.button(key="activity_clear_status").click().run()
    assert _ids(script) == [fine, failed]
    script.selectbox(key="activity_status").set_value("pending").run()
    script.selectbox(key="activity_service").set_value("twilio").run()
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
    assert [each.key for each in script.text_input] == ["activity_http", "main_search"]
    assert "activity_retry" not in [each.key for each in script.button]
    written = repr([each.value.to_dict() for each in script.dataframe])
    written += repr([each.value for each in (*script.markdown, *script.json)])
    for personal in ("Grace", "4155550123", "203.0.113.77", "header-words"):
        assert personal not in written


def _words(script: AppTest) -> str:
    return " ".join(each.value for each in (*script.markdown, *script.caption))


def _copies(visitor: Visitor) -> list[Delivery]:
    query = select(Delivery).where(col(Delivery.origin_id).is_not(None))
    with visitor.hub.database.read() as session:
        return list(session.exec(query).all())


def test_the_list_tells_how_many_deliveries_arrived(visitor: Visitor) -> None:
    owner = visitor.sign_in("member")
    item, place = make_integration(visitor.hub, owner), make_destination(visitor.hub, owner)
    event_id = make_event(visitor.hub, item)
    make_event(visitor.hub, item)
    for status in ("delivered", "dead", "pending"):
        make_delivery(visitor.hub, event_id, place, status=status)
    script = visitor.open("activity")
    shown = script.dataframe[0].value
    assert list(shown["arrived"]) == ["", "1 of 3"]
    assert list(shown["status"]) == [["Received"], ["Dead"]]


def test_the_drawer_tells_the_way_of_a_delivery(visitor: Visitor) -> None:
    owner = visitor.sign_in("member")
    event_id = make_event(visitor.hub, make_integration(visitor.hub, owner))
    later = now() + timedelta(minutes=4, seconds=30)
    delivery = make_delivery(
        visitor.hub,
        event_id,
        make_destination(visitor.hub, owner),
        status="retrying",
        next_attempt_at=later,
    )
    make_attempt(visitor.hub, delivery, outcome="retry")
    words = _words(_open_event(visitor, event_id))
    for part in (
        "**Verified** by twilio, key auth\\_token",
        "**Routed**: to 1 destination",
        "**Warehouse**",
        "attempt 1: **500** in 202 ms",
        "next try in 4 m",
    ):
        assert part in words, part


def test_a_waiting_delivery_is_hurried_or_cancelled_from_the_drawer(visitor: Visitor) -> None:
    owner = visitor.sign_in("member")
    event_id = make_event(visitor.hub, make_integration(visitor.hub, owner))
    place = make_destination(visitor.hub, owner)
    later = now() + timedelta(hours=2)
    delivery = make_delivery(visitor.hub, event_id, place, status="retrying", next_attempt_at=later)
    script = _open_event(visitor, event_id)
    script.button(key=f"activity_retry_now_{delivery.id}").click().run()
    assert script.toast[0].value == "It is sent now."
    with visitor.hub.database.read() as session:
        assert (session.get_one(Delivery, delivery.id).next_attempt_at or later) < later
    script.button(key=f"activity_cancel_{delivery.id}").click().run()
    with visitor.hub.database.read() as session:
        assert session.get_one(Delivery, delivery.id).status == "cancelled"
    assert f"activity_cancel_{delivery.id}" not in [each.key for each in script.run().button]


def test_what_a_worker_took_meanwhile_is_told_and_not_changed(visitor: Visitor) -> None:
    owner = visitor.sign_in("member")
    event_id = make_event(visitor.hub, make_integration(visitor.hub, owner))
    delivery = make_delivery(visitor.hub, event_id, make_destination(visitor.hub, owner))
    script = _open_event(visitor, event_id)
    with visitor.hub.database.write() as session:
        row = session.get_one(Delivery, delivery.id)
        row.status, row.next_attempt_at = "sending", None
    script.button(key=f"activity_cancel_{delivery.id}").click().run()
    assert "being sent right now" in script.toast[0].value
    with visitor.hub.database.read() as session:
        assert session.get_one(Delivery, delivery.id).status == "sending"


def test_a_delivery_is_replayed_from_the_drawer_after_its_dry_run(visitor: Visitor) -> None:
    owner = visitor.sign_in("member")
    event_id = make_event(visitor.hub, make_integration(visitor.hub, owner))
    dead = make_delivery(visitor.hub, event_id, make_destination(visitor.hub, owner), status="dead")
    script = _open_event(visitor, event_id)
    script.button(key=f"activity_replay_{dead.id}").click().run()
    assert "**1 delivery** to Warehouse" in _words(script)
    assert _copies(visitor) == []
    script.button(key=f"activity_replay_start_{dead.id}").click().run()
    assert not script.exception
    assert [copy.origin_id for copy in _copies(visitor)] == [dead.id]
    assert "a replay" in _words(script)


def test_an_event_is_sent_to_another_destination(visitor: Visitor) -> None:
    owner = visitor.sign_in("member")
    event_id = make_event(visitor.hub, make_integration(visitor.hub, owner))
    place = make_destination(visitor.hub, owner)
    script = _open_event(visitor, event_id)
    assert script.button(key="activity_send").disabled
    script.selectbox(key="activity_send_to").set_value(place.id).run()
    script.button(key="activity_send").click().run()
    with visitor.hub.database.read() as session:
        made = session.exec(select(Delivery)).one()
    assert (made.destination_id, made.status, made.route_id) == (place.id, "pending", None)


def test_details_show_attempts_headers_answer_and_body(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = visitor.sign_in("member")
    event_id = make_event(visitor.hub, make_integration(visitor.hub, owner))
    delivery = make_delivery(
        visitor.hub, event_id, make_destination(visitor.hub, owner), status="dead"
    )
    make_attempt(visitor.hub, delivery, outcome="dead")
    script = _open_event(visitor, event_id)
    assert "Sorry" not in repr([each.value for each in script.code])
    script.button(key=f"activity_details_{delivery.id}").click().run()
    assert not script.exception
    codes = [each.value for each in script.code]
    assert "Sorry, Grace Hopper" in codes
    assert any(code.startswith('{"id":"evt_') for code in codes)
    words = _words(script)
    assert "connect 12 ms" in words
    assert r"198\.51\.100\.23" in words
    tables = repr([each.value.to_dict() for each in script.dataframe])
    assert "webhook-id" in tables
    assert "answering-words" in tables
    script.button(key=f"activity_details_{delivery.id}").click().run()
    assert "Sorry, Grace Hopper" not in [each.value for each in script.code]


def test_an_analyst_sees_masked_attempts_and_no_buttons(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = visitor.sign_in("member")
    event_id = make_event(visitor.hub, make_integration(visitor.hub, owner))
    delivery = make_delivery(
        visitor.hub, event_id, make_destination(visitor.hub, owner), status="dead"
    )
    make_attempt(visitor.hub, delivery, outcome="dead")
    visitor.sign_in("analyst")
    script = _open_event(visitor, event_id)
    script.button(key=f"activity_details_{delivery.id}").click().run()
    assert not script.exception
    written = repr([each.value.to_dict() for each in script.dataframe])
    written += repr([each.value for each in (*script.markdown, *script.caption, *script.code)])
    for hidden in (
        "Grace",
        "answering-words",
        "198.51",
        r"198\.51",
        "other side failed",
        "MembersHub/1",
    ):
        assert hidden not in written, hidden
    keys = [str(each.key) for each in script.button]
    assert not [key for key in keys if "replay" in key or "cancel" in key or "send" in key]


def test_chips_put_filters_away_one_by_one(visitor: Visitor) -> None:
    item = make_integration(visitor.hub, visitor.sign_in("member"))
    failed, fine = make_event(visitor.hub, item, status="failed"), make_event(visitor.hub, item)
    script = visitor.open("activity")
    script.selectbox(key="activity_status").set_value("failed").run()
    script.selectbox(key="activity_service").set_value(item.service_name).run()
    assert _ids(script) == [failed]
    script.button(key="activity_chip_status").click().run()
    assert _ids(script) == [fine, failed]
    assert script.query_params["service"] == item.service_name
    script.button(key="activity_chip_service").click().run()
    assert "activity_chip_service" not in [each.key for each in script.button]


def test_a_shared_link_brings_its_filters(visitor: Visitor) -> None:
    item = make_integration(visitor.hub, visitor.sign_in("member"))
    failed, _ = make_event(visitor.hub, item, status="failed"), make_event(visitor.hub, item)
    script = visitor.open("activity")
    script.query_params["status"] = "failed"
    assert _ids(script.run()) == [failed]
    script.query_params["since"] = "2099-01-01T00:00Z"
    assert "from\\: 2099" in script.run().info[0].value
    script.query_params["since"] = "soon"
    assert "is a time such as" in script.run().error[0].value


def test_a_time_of_ones_own_goes_into_the_address_and_gives_way_to_a_range(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time_filter, "viewer_zone", lambda: ZoneInfo("Europe/Berlin"))
    item = make_integration(visitor.hub, visitor.sign_in("member"))
    event_id = make_event(visitor.hub, item)
    script = visitor.open("activity")
    script.datetime_input(key="activity_since").set_value(_on("2026-01-31T12:30"))
    _press(script, "Use these")
    assert script.query_params["since"] == "2026-01-31T11:30Z"
    assert "until" not in script.query_params
    assert script.button(key="activity_chip_since").label == r"from\: 2026\-01\-31 12\:30"
    assert _ids(script) == [event_id]
    script.datetime_input(key="activity_until").set_value(_on("2026-01-30T12:30"))
    _press(script, "Use these")
    assert "end lies before the beginning" in script.toast[0].value
    script.button_group(key="activity_range").set_value("1h").run()
    assert "since" not in script.query_params
    assert _ids(script) == [event_id]


def test_a_link_brings_a_time_that_the_fields_show(visitor: Visitor) -> None:
    make_event(visitor.hub, make_integration(visitor.hub, visitor.sign_in("member")))
    script = visitor.open("activity")
    script.query_params["since"] = "2026-11-03T10:00Z"
    script.query_params["until"] = "2026-11-03T11:00Z"
    script.run()
    assert not script.exception
    assert script.datetime_input(key="activity_since").value == _on("2026-11-03T10:00")
    assert "activity_chip_until" in [each.key for each in script.button]


@pytest.mark.parametrize("way", ["status", "view"])
def test_rejected_leads_to_its_own_screen_with_the_filters(visitor: Visitor, way: str) -> None:
    item = make_integration(visitor.hub, visitor.sign_in("member"))
    script = visitor.open("activity")
    script.query_params["range"] = "7d"
    script.selectbox(key="activity_integration").set_value(item.id).run()
    if way == "status":
        script.selectbox(key="activity_status").set_value("rejected").run()
    else:
        names = [view.name for view in BUILT_IN["activity"]]
        script.button(key=f"activity_view_{names.index('Rejected')}").click().run()
    assert not script.exception
    assert script.title[0].value == "Rejected"
    if way == "status":
        assert script.query_params["range"] == "7d"
        assert script.query_params["integration"] == item.id


def test_analysts_are_not_led_to_the_rejected(visitor: Visitor) -> None:
    visitor.sign_in("analyst")
    script = visitor.open("activity")
    assert "Rejected" not in script.selectbox(key="activity_status").options
    assert "Rejected" not in [each.label for each in script.button]


def test_exact_times_are_a_column_and_hidden_filters_are_counted(visitor: Visitor) -> None:
    make_event(visitor.hub, make_integration(visitor.hub, visitor.sign_in("member")))
    script = visitor.open("activity")
    script.multiselect(key="activity_cols").set_value(["Exact time", "Id"]).run()
    assert list(script.dataframe[0].proto.column_order) == ["created_at", "status", "at", "id"]
    script.number_input(key="activity_attempts").set_value(1)
    script.text_input(key="activity_http").input("404").run()
    assert "More filters (2)" in "".join(str(each.proto) for each in _blocks(script.main))


def _on(text: str) -> datetime:
    """Return a time as a field holds it: without a zone."""
    return datetime.fromisoformat(text)


def _blocks(block: Block) -> Iterator[Block]:
    for child in block.children.values():
        if isinstance(child, Block):
            yield child
            yield from _blocks(child)


def _press(script: AppTest, label: str) -> AppTest:
    return next(each for each in script.button if each.label == label).click().run()


def test_filters_are_kept_as_a_view_and_come_back(visitor: Visitor) -> None:
    ada = visitor.sign_in("member")
    item = make_integration(visitor.hub, ada)
    failed, fine = make_event(visitor.hub, item, status="failed"), make_event(visitor.hub, item)
    script = visitor.open("activity")
    script.selectbox(key="activity_status").set_value("failed").run()
    script.text_input(key="activity_view_new").input("Broken")
    next(each for each in script.button if each.label == "Save view").click().run()
    assert [view.query for view in list_views(visitor.hub, ada, "activity") if view.id] == [
        "status=failed"
    ]
    script.button(key="activity_chip_status").click().run()
    assert _ids(script) == [fine, failed]
    own = len(BUILT_IN["activity"])
    script.button(key=f"activity_view_{own}").click().run()
    assert _ids(script) == [failed]


def _begin_resolving(visitor: Visitor) -> AppTest:
    script = visitor.open("activity")
    script.toggle(key="activity_choose").set_value(True).run()
    script.button(key="activity_bulk_all").click().run()
    return script.selectbox(key="bulk_action").set_value("resolve").run()


def _resolved(visitor: Visitor) -> set[str]:
    query = select(WebhookEvent.id).where(col(WebhookEvent.resolved_at).is_not(None))
    with visitor.hub.database.read() as session:
        return set(session.exec(query))


def test_what_the_dry_run_showed_is_resolved_and_nothing_that_came_after(
    visitor: Visitor,
) -> None:
    item = make_integration(visitor.hub, visitor.sign_in("member"))
    failed, fine = make_event(visitor.hub, item, status="failed"), make_event(visitor.hub, item)
    script = _begin_resolving(visitor)
    assert script.button(key="bulk_start").label == "Mark failed ones as resolved: 1 event"
    make_event(visitor.hub, item, status="failed")
    with visitor.hub.database.write() as session:
        session.get_one(WebhookEvent, fine).status = "failed"
    script.button(key="bulk_start").click().run()
    assert not script.exception
    assert _resolved(visitor) == {failed}
    assert "1 done" in script.success[0].value
    script.button(key="bulk_close").click().run()
    assert "bulk_close" not in [each.key for each in script.button]


def test_what_somebody_else_did_meanwhile_is_told(visitor: Visitor) -> None:
    item = make_integration(visitor.hub, visitor.sign_in("member"))
    ids = [make_event(visitor.hub, item, status="failed") for _ in range(2)]
    script = _begin_resolving(visitor)
    with visitor.hub.database.write() as session:
        session.get_one(WebhookEvent, ids[0]).status = "pending"
    script.button(key="bulk_start").click().run()
    assert _resolved(visitor) == {ids[1]}
    assert "1 left out. They are no longer as they were shown" in script.warning[0].value


def test_the_search_box_opens_an_id_and_looks_for_the_rest(visitor: Visitor) -> None:
    item = make_integration(visitor.hub, visitor.sign_in("member"))
    event_id = make_event(visitor.hub, item)
    script = visitor.open("overview")
    script.text_input(key="main_search").input(event_id).run()
    assert event_id in [each.value for each in script.code]
    script = visitor.open("overview")
    script.text_input(key="main_search").input("(415) 555-0123").run()
    assert script.query_params["q"] == "(415) 555-0123"


def test_what_is_named_like_the_words_stands_below_the_search_box(visitor: Visitor) -> None:
    make_integration(visitor.hub, visitor.sign_in("member"))
    script = visitor.open("activity")
    script.text_input(key="main_search").input("front").run()
    assert script.query_params["q"] == "front"
    assert "Front desk" in [each.proto.label for each in script.get("page_link")]
    script.query_params["q"] = "other"
    assert "Front desk" not in [each.proto.label for each in script.run().get("page_link")]


def test_all_that_match_are_counted_when_somebody_asks(visitor: Visitor) -> None:
    item = make_integration(visitor.hub, visitor.sign_in("member"))
    for number in range(52):
        make_event(visitor.hub, item, status="failed" if number else "success")
    script = visitor.open("activity")
    script.button(key="activity_count").click().run()
    assert "52 events when you asked." in [each.value for each in script.caption]
    script.selectbox(key="activity_status").set_value("failed").run()
    assert not [each for each in script.caption if "when you asked" in each.value]
    script.button(key="activity_count").click().run()
    assert "51 events when you asked." in [each.value for each in script.caption]
