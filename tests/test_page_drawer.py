"""The event drawer: a failure in plain words, what is related, tags, samples, edits, commands."""

import json
from collections.abc import Iterator

import pytest
from sqlmodel import col, select
from streamlit.testing.v1 import AppTest

from lib.hub import Hub
from lib.models import Delivery, EventKey, SavedSample, WebhookEvent
from tests.event_factories import SID, SMS, make_event, make_integration
from tests.outgoing_factories import (
    URL,
    make_attempt,
    make_delivery,
    make_destination,
    make_issue,
    make_route,
)
from tests.visitors import Visitor, visiting

FAILED = {
    "MessageSid": "SM" + "2" * 32,
    "AccountSid": SID,
    "From": "+14155550199",
    "To": SMS["From"],
    "MessageStatus": "undelivered",
    "ErrorCode": "30007",
}


@pytest.fixture
def visitor(sqlite_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    with visiting(sqlite_hub, monkeypatch) as visitor:
        yield visitor


def _open(visitor: Visitor, event_id: str) -> AppTest:
    script = visitor.open("activity")
    script.query_params["event"] = event_id
    return script.run()


def _words(script: AppTest) -> str:
    shown = (*script.markdown, *script.caption, *script.info)
    return " ".join(each.value for each in shown).replace("\\", "")


def test_a_failed_sms_is_found_by_phone_read_in_plain_words_and_replayed(
    visitor: Visitor,
) -> None:
    owner = visitor.sign_in("member")
    item, place = make_integration(visitor.hub, owner), make_destination(visitor.hub, owner)
    make_event(visitor.hub, item)
    event_id = make_event(visitor.hub, item, payload=FAILED, event_type="message.status")
    dead = make_delivery(visitor.hub, event_id, place, status="dead")
    make_attempt(visitor.hub, dead, outcome="dead")
    script = visitor.open("activity")
    script.text_input(key="activity_q").set_value("(415) 555-0123").run()
    assert event_id in list(script.dataframe[0].value["id"])
    script = _open(visitor, event_id)
    assert not script.exception
    words = _words(script)
    assert "30007 · Filtered by the carrier" in words
    assert "The carrier held the message to be unwanted and dropped it." in words
    assert "https://www.twilio.com/docs/errors/30007" in words
    script.button(key=f"activity_replay_{dead.id}").click().run()
    script.button(key=f"activity_replay_start_{dead.id}").click().run()
    with visitor.hub.database.read() as session:
        copies = session.exec(select(Delivery).where(col(Delivery.origin_id) == dead.id)).all()
    assert [copy.status for copy in copies] == ["pending"]


def test_tags_are_added_and_taken_off(visitor: Visitor) -> None:
    event_id = make_event(visitor.hub, make_integration(visitor.hub, visitor.sign_in("member")))
    script = _open(visitor, event_id)
    script.text_input(key="activity_new_tag").set_value("case=4711")
    next(each for each in script.button if each.label == "Add").click().run()

    def stored() -> list[str]:
        query = select(EventKey.value).where(col(EventKey.kind) == "tag")
        with visitor.hub.database.read() as session:
            return list(session.exec(query))

    assert stored() == ["case=4711"]
    script.run().button(key="activity_tag_0").click().run()
    assert stored() == []


def test_the_routes_say_why_none_took_it(visitor: Visitor) -> None:
    owner = visitor.sign_in("member")
    item = make_integration(visitor.hub, owner)
    route_to = make_destination(visitor.hub, owner)
    make_route(visitor.hub, item, route_to, event_types=["call.inbound"])
    words = _words(_open(visitor, make_event(visitor.hub, item)))
    assert "not taken, for it takes call.inbound and not message.received" in words
    bare = make_integration(visitor.hub, owner, "Bare")
    assert "no route" in _words(_open(visitor, make_event(visitor.hub, bare)))


def test_a_sample_is_saved_and_offered_by_the_simulator(visitor: Visitor) -> None:
    owner = visitor.sign_in("member")
    event_id = make_event(visitor.hub, make_integration(visitor.hub, owner))
    script = _open(visitor, event_id)
    script.text_input(key="activity_sample_name").set_value("A text")
    next(each for each in script.button if each.label == "Save").click().run()
    with visitor.hub.database.read() as session:
        kept = session.exec(select(SavedSample)).one()
    assert (kept.name, json.loads(kept.payload)) == ("A text", SMS)
    script = visitor.open("testing")
    assert "Saved: A text" in script.selectbox(key="testing_sample").options
    script.selectbox(key="testing_sample").set_value(kept.id).run()
    assert json.loads(script.text_area(key="testing_body").value) == SMS
    script.button(key="testing_remove_sample").click().run()
    assert not script.exception
    assert "Saved: A text" not in script.selectbox(key="testing_sample").options


def test_staff_edit_and_resend_and_members_cannot(visitor: Visitor) -> None:
    item = make_integration(visitor.hub, visitor.sign_in("member"))
    event_id = make_event(visitor.hub, item)
    assert "activity_edit" not in [each.key for each in _open(visitor, event_id).button]
    visitor.sign_in("staff")
    script = _open(visitor, event_id)
    script.button(key="activity_edit").click().run()
    script.text_area(key="activity_edit_text").set_value('{"Body": "Corrected"}')
    next(each for each in script.button if each.label == "Send the edited event").click().run()
    assert not script.exception
    with visitor.hub.database.read() as session:
        rows = session.exec(select(WebhookEvent).order_by(col(WebhookEvent.id))).all()
    assert [row.method for row in rows] == ["POST", "EDIT"]
    assert f"{event_id}" in rows[1].verification
    assert "Edited" in _words(_open(visitor, rows[1].id))


def test_commands_hold_no_secret(visitor: Visitor) -> None:
    owner = visitor.sign_in("member")
    event_id = make_event(visitor.hub, make_integration(visitor.hub, owner))
    place = make_destination(visitor.hub, owner)
    dead = make_delivery(visitor.hub, event_id, place, status="dead")
    sent = {"webhook-id": dead.id, "webhook-signature": "v1,AAAA", "x-api-key": "[redacted]"}
    make_attempt(visitor.hub, dead, outcome="dead", request_headers=json.dumps(sent))
    script = _open(visitor, event_id)
    script.button(key=f"activity_details_{dead.id}").click().run()
    codes = "\n".join(each.value for each in script.code)
    assert f"-H 'webhook-id: {dead.id}'" in codes
    assert "webhook-signature: <put a fresh webhook-signature here>" in codes
    assert "x-api-key: <put your x-api-key here>" in codes
    assert "def test_the_hub_takes_the_event" in codes
    assert "v1,AAAA" not in codes
    assert URL not in codes
    assert "The other side failed while it worked on the request." in _words(script)


def test_an_analyst_sees_nothing_of_the_contact_and_no_buttons(visitor: Visitor) -> None:
    item = make_integration(visitor.hub, visitor.sign_in("member"))
    make_event(visitor.hub, item)
    event_id = make_event(visitor.hub, item, payload=FAILED, event_type="message.status")
    visitor.sign_in("analyst")
    script = _open(visitor, event_id)
    assert not script.exception
    written = _words(script) + repr([each.value.to_dict() for each in script.dataframe])
    written += repr([each.value for each in (*script.code, *script.json)])
    for hidden in ("4155550123", "4155550199", "2" * 32, "Hopper"):
        assert hidden not in written, hidden
    keys = [str(each.key) for each in script.button]
    assert not [key for key in keys if "edit" in key or "tag" in key or "sample" in key]


def test_the_dictionary_is_searched_on_the_testing_page(visitor: Visitor) -> None:
    visitor.sign_in("member")
    script = visitor.open("testing")
    script.button_group(key="testing_tool").set_value("Codes").run()
    script.text_input(key="testing_code").set_value("30007").run()
    assert not script.exception
    assert "Filtered by the carrier" in script.info[0].value
    script.text_input(key="testing_code").set_value("no such words").run()
    assert "No such code" in script.info[0].value


def test_an_issue_is_explained_assigned_muted_and_changed_in_bulk(visitor: Visitor) -> None:
    owner = visitor.sign_in("member")
    event_id = make_event(visitor.hub, make_integration(visitor.hub, owner))
    place = make_destination(visitor.hub, owner)
    issue_id = make_issue(visitor.hub, make_delivery(visitor.hub, event_id, place, status="dead"))
    script = visitor.open("issues")
    script.query_params["open"] = issue_id
    script.run()
    assert "The other side failed while it worked on the request." in _words(script)
    assert f"Concerns {SMS['From']}" in _words(script)
    script.selectbox(key="issues_assignee").set_value(owner.id).run()
    script.button(key="issues_mute_3600").click().run()
    assert not script.exception
    assert "Member looks after it · muted until" in _words(script)
    script = visitor.open("issues")
    script.selectbox(key="issues_assignee").set_value(owner.id).run()
    script.checkbox(key=f"issues_pick_{issue_id}").check().run()
    next(each for each in script.button if each.label == "Change").click().run()
    assert "resolved" in _words(script).lower()
