"""The forms of actions on the screens: drawn from the model, confirmed, run, and routed to."""

import json
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from pydantic import Field
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from lib.access import Actor
from lib.clock import now
from lib.connections import integrations
from lib.connections.integrations import Integration
from lib.errors import ProviderError
from lib.hub import Hub
from lib.models import Destination, Route
from lib.outgoing import destinations
from lib.outgoing.destination_views import DestinationDraft
from lib.processing.message_states import OwnedReport, advance
from lib.providers.actions import Action, ActionCall, ActionInput
from lib.providers.registry import get_provider
from lib.providers.reports import StateReport
from tests.acting import PHONE, Vendors, connect_twilio, near, vendors
from tests.event_factories import SMS, make_event
from tests.fakes import twilio
from tests.visitors import Visitor, visiting


@pytest.fixture(scope="module")
def fakes() -> Iterator[Vendors]:
    with vendors("twilio") as found:
        yield found


@pytest.fixture
def visitor(sqlite_hub: Hub, fakes: Vendors, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    fakes.apps["twilio"].state.sent.clear()
    with visiting(near(sqlite_hub, fakes), monkeypatch) as visitor:
        yield visitor


@pytest.fixture
def ada(visitor: Visitor) -> Actor:
    return visitor.sign_in("member")


@pytest.fixture
def item(visitor: Visitor, ada: Actor) -> Integration:
    return connect_twilio(visitor.hub, ada)


class Form:
    """One integration's page with an action chosen."""

    def __init__(self, visitor: Visitor, item: Integration, name: str) -> None:
        self.script = visitor.open("integrations")
        self.script.query_params["open"] = item.id
        self.script.run()
        self.prefix = f"integrations_act_{item.id}_{name}"
        self.script.selectbox(key=f"integrations_action_{item.id}").set_value(name).run()
        assert not self.script.exception

    def key(self, name: str) -> str:
        return f"{self.prefix}_{name}"

    def click(self, key: str = "integrations_act_run") -> AppTest:
        self.script.button(key=key).click().run()
        assert not self.script.exception
        return self.script

    def written(self) -> str:
        kinds = ("markdown", "caption", "error", "success", "code", "json")
        return repr([each.value for kind in kinds for each in getattr(self.script, kind)])


def test_a_message_is_confirmed_and_sent(
    visitor: Visitor, item: Integration, fakes: Vendors
) -> None:
    form = Form(visitor, item, "send_message")
    form.script.text_input(key=form.key("to")).input(PHONE)
    form.script.text_area(key=form.key("body")).input("Hello Grace").run()
    assert "1 segment" in form.written()
    assert form.script.text_input(key=form.key("send_at")).placeholder.startswith("2027-")
    form.click()
    asked = form.written()
    assert PHONE.replace("+", "\\\\+") in asked
    assert "Front desk" in asked
    assert fakes.apps["twilio"].state.sent == []
    form.click("integrations_act_confirm")
    (sent,) = fakes.apps["twilio"].state.sent
    assert (sent["To"], sent["Body"]) == (PHONE, "Hello Grace")
    assert "Done in" in form.written()
    facts = form.script.dataframe[0].value
    assert "queued" in list(facts["value"])
    assert twilio.AUTH_TOKEN not in form.written()


def test_a_bad_field_is_said_at_it_and_nothing_is_sent(
    visitor: Visitor, item: Integration, fakes: Vendors
) -> None:
    form = Form(visitor, item, "send_message")
    form.script.text_input(key=form.key("to")).input("12")
    form.script.text_area(key=form.key("media_urls")).input("https://x.example/a\nnonsense")
    form.click()
    form.click("integrations_act_confirm")
    assert "To is not right" in form.script.error[0].value
    form.script.text_input(key=form.key("to")).input(PHONE)
    form.click()
    form.click("integrations_act_confirm")
    assert "Media addresses is not right" in form.script.error[0].value
    assert fakes.apps["twilio"].state.sent == []


def test_a_refusal_of_the_vendor_is_a_sentence_with_the_next_step(
    visitor: Visitor, item: Integration
) -> None:
    form = Form(visitor, item, "send_message")
    form.script.text_input(key=form.key("to")).input("+15005550004")
    form.script.text_area(key=form.key("body")).input("x")
    form.click()
    form.click("integrations_act_confirm")
    assert "answered STOP" in form.script.error[0].value


def test_a_message_that_may_have_gone_out_is_said_to_be_looked_for(
    visitor: Visitor, ada: Actor
) -> None:
    form = Form(visitor, connect_twilio(visitor.hub, ada, auth_token="MAGIC500"), "send_message")
    form.script.text_input(key=form.key("to")).input(PHONE)
    form.script.text_area(key=form.key("body")).input("x")
    form.click()
    form.click("integrations_act_confirm")
    said = form.script.error[0].value
    assert "It may have been done" in said
    assert "Try again" not in said


def test_a_list_is_shown_as_a_table_without_asking(
    visitor: Visitor, ada: Actor, item: Integration
) -> None:
    sender = Form(visitor, item, "send_message")
    sender.script.text_input(key=sender.key("to")).input(PHONE)
    sender.script.text_area(key=sender.key("body")).input("Hello")
    sender.click()
    sender.click("integrations_act_confirm")
    form = Form(visitor, item, "list_messages")
    form.script.number_input(key=form.key("page_size")).set_value(5)
    form.click()
    rows = [each.value for each in form.script.dataframe if "sid" in each.value.columns]
    assert PHONE in list(rows[0]["to"])


def test_a_paused_integration_says_so(visitor: Visitor, ada: Actor, item: Integration) -> None:
    integrations.pause(visitor.hub, ada, item.id)
    form = Form(visitor, item, "place_call")
    assert any("paused" in each.value for each in form.script.info)


class EveryKind(ActionInput):
    text: str = Field(title="Text", description="A word.", examples=["word"])
    story: str | None = Field(
        default=None, title="Story", description="Long.", json_schema_extra={"format": "textarea"}
    )
    whole: int = Field(default=3, title="Whole", description="A number.", ge=1, le=9)
    part: float | None = Field(default=None, title="Part", description="A fraction.", ge=0)
    flag: bool = Field(default=True, title="Flag", description="Yes or no.")
    colour: Literal["red", "blue"] = Field(default="blue", title="Colour", description="One.")
    sizes: list[Literal["s", "m"]] = Field(default=["m"], title="Sizes", description="Some.")
    names: list[str] = Field(default=[], title="Names", description="Several.")
    data: dict[str, Any] = Field(default={}, title="Data", description="Any JSON.")


class TakeAll(Action):
    name = "take_all"
    label = "Take all"
    help = "Gives back what it was given."
    effect = "write"
    input = EveryKind

    def run(self, given: EveryKind, call: ActionCall) -> Any:
        if given.text == "fail":
            raise ProviderError("The vendor is closed. Come back tomorrow.", permanent=True)
        return {"given": given.model_dump()}


@pytest.fixture
def takes_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(get_provider("twilio")), "actions", (TakeAll(),))


def given_back(script: AppTest) -> Any:
    value = script.json[0].value
    return json.loads(value) if isinstance(value, str) else value


@pytest.mark.usefixtures("takes_all")
def test_every_type_of_field_has_a_widget(visitor: Visitor, item: Integration) -> None:
    form = Form(visitor, item, "take_all")
    script = form.script
    script.text_input(key=form.key("text")).input("word")
    script.text_area(key=form.key("story")).input("Once\nupon")
    script.number_input(key=form.key("whole")).set_value(5)
    script.number_input(key=form.key("part")).set_value(0.5)
    script.checkbox(key=form.key("flag")).uncheck()
    script.selectbox(key=form.key("colour")).set_value("red")
    script.multiselect(key=form.key("sizes")).set_value(["s"])
    script.text_area(key=form.key("names")).input("Ada\n\n Grace ")
    script.text_area(key=form.key("data")).input('{"a": [1]}')
    form.click()
    assert given_back(script) == {
        "text": "word",
        "story": "Once\nupon",
        "whole": 5,
        "part": 0.5,
        "flag": False,
        "colour": "red",
        "sizes": ["s"],
        "names": ["Ada", "Grace"],
        "data": {"a": [1]},
    }


@pytest.mark.usefixtures("takes_all")
def test_defaults_and_limits_come_from_the_model(visitor: Visitor, item: Integration) -> None:
    form = Form(visitor, item, "take_all")
    whole = form.script.number_input(key=form.key("whole"))
    assert (whole.value, whole.min, whole.max) == (3, 1, 9)
    part = form.script.number_input(key=form.key("part"))
    assert (part.min, part.step) == (0, 0.01)
    assert form.script.text_input(key=form.key("text")).placeholder == "word"
    assert form.script.text_area(key=form.key("story")).label == "Story (optional)"
    form.click()
    assert form.script.error[0].value == "Text is missing. Enter it."
    form.script.text_area(key=form.key("data")).input("{")
    form.click()
    assert "Data is no JSON" in form.script.error[0].value
    form.script.text_area(key=form.key("data")).input("")
    form.script.text_input(key=form.key("text")).input("fail")
    form.click()
    assert form.script.error[0].value == "The vendor is closed. Come back tomorrow."


def test_a_destination_that_is_an_action_is_added_and_routed_to(
    visitor: Visitor, item: Integration
) -> None:
    make_event(visitor.hub, item)
    script = visitor.open("webhooks")
    script.query_params["add"] = "action"
    script.run()
    script.selectbox(key="webhooks_integration_id_action").set_value(item.id).run()
    script.selectbox(key="webhooks_action_action").set_value("send_message").run()
    assert any("**to**" in each.value for each in script.caption)
    script.text_input(key="webhooks_name_action").input("Reply")
    next(each for each in script.button if each.label == "Save destination").click().run()
    assert not script.exception
    with visitor.hub.database.read() as session:
        row = session.exec(select(Destination)).one()
    assert row.config_data == {"integration_id": item.id, "action": "send_message"}
    assert "Twilio: Send a message" in [each.value for each in script.code]
    assert not [each for each in script.button if each.key in ("webhooks_test", "webhooks_rotate")]
    script.query_params.clear()
    script.query_params["route"], script.query_params["to"] = "new", row.id
    script.run()
    script.selectbox(key="webhooks_draft_from").set_value(item.id).run()
    assert any("mapping yields its fields: **to**" in each.value for each in script.caption)
    script.text_area(key="webhooks_draft_mapping").input("{to: data.From, body: 'Hi'}").run()
    script.button(key="webhooks_save_route").click().run()
    assert not script.exception
    with visitor.hub.database.read() as session:
        assert session.exec(select(Route)).one().mapping == "{to: data.From, body: 'Hi'}"


def test_a_destination_without_a_choice_is_said_at_the_box(
    visitor: Visitor, item: Integration
) -> None:
    script = visitor.open("webhooks")
    script.query_params["add"] = "action"
    script.run()
    next(each for each in script.button if each.label == "Save destination").click().run()
    assert not script.exception
    assert "Choose the integration" in script.error[0].value


def test_an_edit_changes_the_action(visitor: Visitor, ada: Actor, item: Integration) -> None:
    draft = DestinationDraft("Reply", integration_id=item.id, action="send_message")
    made = destinations.add(visitor.hub, ada, kind="action", draft=draft).destination
    script = visitor.open("webhooks")
    script.query_params["open"] = made.id
    script.run()
    script.selectbox(key=f"webhooks_action_{made.id}").set_value("place_call").run()
    next(each for each in script.button if each.label == "Save changes").click().run()
    assert not script.exception
    assert destinations.get(visitor.hub, ada, made.id).action == "place_call"


def test_the_reply_is_previewed_as_it_is_sent(visitor: Visitor, ada: Actor) -> None:
    item = connect_twilio(visitor.hub, ada, voice_reply="We call you back.")
    script = visitor.open("integrations")
    script.query_params["open"] = item.id
    script.run()
    assert not script.exception
    assert any("<Say>We call you back.</Say>" in each.value for each in script.code)
    assert script.text_area(key=f"integrations_voice_reply_{item.id}").value == "We call you back."


def test_the_drawer_says_how_far_a_message_has_come(visitor: Visitor, item: Integration) -> None:
    event_id = make_event(visitor.hub, item, event_type="message.status")
    report = StateReport(SMS["MessageSid"], "message", "undelivered", 5, error_code="30003")
    with visitor.hub.database.write() as session:
        advance(session, [OwnedReport(item.id, item.user_id, report, now())])
    script = visitor.open("activity")
    script.query_params["event"] = event_id
    script.run()
    assert not script.exception
    said = next(each.value for each in script.markdown if SMS["MessageSid"] in each.value)
    assert "is **undelivered** (error 30003)" in said
