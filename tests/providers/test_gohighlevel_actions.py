"""Each of HighLevel's actions against a fake that enforces what HighLevel documents."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.applications import Starlette

from lib import http
from lib.errors import ProviderError
from lib.http import VendorAnswer, VendorClient
from lib.providers.actions import ActionCall
from lib.providers.gohighlevel import GoHighLevel
from lib.providers.gohighlevel.api import read_answer
from lib.settings import Settings
from tests.fakes import gohighlevel
from tests.fakes.server import running
from tests.providers.action_samples import INPUTS, START

ACTIONS = {action.name: action for action in GoHighLevel.actions}
LOCATION = gohighlevel.LOCATION_ID
GIVEN = INPUTS["gohighlevel"]
# What of the answer shows that the vendor understood.
SHOWN = {
    "search_contacts": "contacts",
    "get_contact": "contact",
    "create_contact": "contact",
    "upsert_contact": "contact",
    "update_contact": "contact",
    "delete_contact": "succeeded",
    "add_tags": "tags",
    "remove_tags": "tags",
    "list_notes": "notes",
    "add_note": "note",
    "list_tasks": "tasks",
    "add_task": "task",
    "search_conversations": "conversations",
    "list_messages": "messages",
    "send_message": "messageId",
    "list_calendars": "calendars",
    "free_slots": "2026-11-26",
    "book_appointment": "id",
    "update_appointment": "id",
    "list_workflows": "workflows",
    "add_contact_to_workflow": "succeeded",
    "remove_contact_from_workflow": "succeeded",
    "search_opportunities": "opportunities",
    "list_pipelines": "pipelines",
    "create_opportunity": "opportunity",
    "update_opportunity_status": "succeeded",
    "get_location": "location",
}
# What a repetition would double, or what reaches a person.
SENDS = {
    "create_contact",
    "add_note",
    "add_task",
    "send_message",
    "book_appointment",
    "update_appointment",
    "add_contact_to_workflow",
    "create_opportunity",
}


class Vendor:
    """The running fake, asked as an action would be run."""

    def __init__(self, app: Starlette, url: str) -> None:
        self.app, self.url = app, url

    def run(self, name: str, given: dict[str, Any], **values: str) -> Any:
        settings = Settings(gohighlevel_api_url=self.url)
        merged = {"location_id": LOCATION, "private_token": gohighlevel.TOKEN, **values}
        action = ACTIONS[name]
        with VendorClient((), settings.vendor_api_urls) as client:
            call = ActionCall(merged, settings, client, "http://localhost:8000/api/webhooks/x/y")
            return action.run(action.input.model_validate(given), call)

    def fail(self, name: str, **values: str) -> ProviderError:
        with pytest.raises(ProviderError) as caught:
            self.run(name, GIVEN[name], **values)
        assert not any(text in caught.value.message for text in values.values() if "pit-" in text)
        return caught.value

    @property
    def last_sent(self) -> tuple[str, Any]:
        return self.app.state.sent[-1]


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    app = gohighlevel.make_app()
    with running(app) as url:
        yield Vendor(app, url)


def test_every_action_is_tried_here() -> None:
    assert ACTIONS.keys() == GIVEN.keys() == SHOWN.keys()
    assert {name for name, action in ACTIONS.items() if action.effect == "send"} == SENDS


@pytest.mark.parametrize("name", GIVEN)
def test_it_states_its_version_its_fields_and_its_location(vendor: Vendor, name: str) -> None:
    assert SHOWN[name] in vendor.run(name, GIVEN[name])


@pytest.mark.parametrize("name", GIVEN)
def test_a_missing_scope_is_named(vendor: Vendor, name: str) -> None:
    error = vendor.fail(name, private_token="pit-noscope")
    assert error.code == "missing_scope"
    assert error.permanent
    named = error.message.partition("the scope ")[2].partition(". ")[0]
    assert SHOWN[name] in vendor.run(name, GIVEN[name], private_token=f"pit-scopes:{named}")


@pytest.mark.parametrize("name", GIVEN)
def test_another_version_is_refused_and_explained(vendor: Vendor, name: str) -> None:
    for version in ("2020-01-01", "v3"):
        error = vendor.fail(name, api_version=version)
        assert error.code == "bad_version"
        assert version in error.message


@pytest.mark.parametrize(
    ("token", "code", "word"),
    [
        ("pit-wrong", "bad_token", "refused the token"),
        ("pit-agency", "wrong_token_class", "agency token"),
        ("pit-company", "wrong_token_class", "choose the sub-account"),
        ("pit-elsewhere", "wrong_location", "another location"),
    ],
)
def test_kinds_of_refusal_are_told_apart(vendor: Vendor, token: str, code: str, word: str) -> None:
    error = vendor.fail("get_contact", private_token=token)
    assert (error.code, error.permanent, error.is_unprocessed) == (code, True, True)
    assert word in error.message


def test_another_location_is_refused(vendor: Vendor) -> None:
    assert vendor.fail("list_workflows", location_id="loc2").code == "wrong_location"
    assert vendor.fail("search_opportunities", location_id="loc2").code == "wrong_location"


def test_no_token_calls_nobody(vendor: Vendor) -> None:
    before = len(vendor.app.state.queries)
    assert vendor.fail("get_location", private_token="").code == "no_token"
    assert len(vendor.app.state.queries) == before


@pytest.mark.parametrize(
    ("magic", "status", "is_unprocessed"),
    [("MAGIC429", 429, True), ("MAGIC500", 500, False), ("MAGICBROKEN", 200, False),
     ("MAGICSLOW", None, False)],
)  # fmt: skip
def test_vendor_trouble_may_pass(
    vendor: Vendor,
    magic: str,
    status: int | None,
    is_unprocessed: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "READ_SECONDS", 0.3)
    error = vendor.fail("send_message", private_token=magic)
    assert (error.permanent, error.status, error.is_unprocessed) == (False, status, is_unprocessed)
    assert magic not in error.message


def test_a_validation_keeps_every_message_and_the_trace() -> None:
    text = '{"message":["locationId must be a string","email must be an email"],"traceId":"t-9"}'
    with pytest.raises(ProviderError) as caught:
        read_answer(VendorAnswer(422, {}, text), scope="contacts.write", version="2021-07-28")
    assert "locationId must be a string; email must be an email" in caught.value.message
    assert "t-9" in caught.value.message
    assert caught.value.permanent


@pytest.mark.parametrize(
    "body",
    ["<html>", "[]", "null", '{"message":{}}', '{"message":[1,null]}', '{"message":"\\u0000"}'],
)
@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 409, 418, 422, 503])
def test_any_refusal_becomes_a_sentence(status: int, body: str) -> None:
    with pytest.raises(ProviderError) as caught:
        read_answer(VendorAnswer(status, {}, body), scope="a.b", version="2021-07-28")
    assert caught.value.message.isprintable()
    assert caught.value.message.endswith(".")


def test_the_misspelt_word_is_understood() -> None:
    for text, spelt in (('{"succeded":true}', True), ('{"succeeded":true}', True)):
        answer = read_answer(VendorAnswer(201, {}, text), scope="", version="")
        assert answer["succeeded"] is spelt
    for text in ('{"succeded":false}', '{"succeeded":false}'):
        with pytest.raises(ProviderError, match="did not do it"):
            read_answer(VendorAnswer(200, {}, text), scope="", version="")
    assert read_answer(VendorAnswer(204, {}, ""), scope="", version="") == {}


def test_contacts_are_written_in_the_vendors_words(vendor: Vendor) -> None:
    given = {
        "first_name": " Ada ",
        "phone": "+1 (415) 555-0123",
        "postal_code": "10115",
        "custom_fields": {"cf1": "blue"},
        "tags": ["vip"],
    }
    vendor.run("upsert_contact", given)
    assert vendor.last_sent == (
        "/contacts/upsert",
        {
            "locationId": LOCATION,
            "firstName": "Ada",
            "phone": "+14155550123",
            "postalCode": "10115",
            "customFields": [{"id": "cf1", "field_value": "blue"}],
            "tags": ["vip"],
        },
    )
    vendor.run("update_contact", {"contact_id": "con1", "city": "Berlin"})
    assert vendor.last_sent == ("/contacts/con1", {"city": "Berlin"})


def test_messages_and_workflows_are_written_in_the_vendors_words(vendor: Vendor) -> None:
    vendor.run("send_message", {"contact_id": "c1", "message": "Hi", "scheduled_at": START})
    assert vendor.last_sent == (
        "/conversations/messages",
        {"type": "SMS", "contactId": "c1", "message": "Hi", "scheduledTimestamp": 1795428000},
    )
    vendor.run("add_contact_to_workflow", GIVEN["add_contact_to_workflow"])
    path, body = vendor.last_sent
    assert path == "/contacts/con1/workflow/wf1"
    assert body == {"eventStartTime": "2026-11-23T10:00:00+00:00"}


def test_slots_are_asked_in_milliseconds_and_deals_in_snake_case(vendor: Vendor) -> None:
    vendor.run("free_slots", {"calendar_id": "c", "start": START, "end": "2026-11-24T10:00:00Z"})
    assert vendor.app.state.queries[-1] == {
        "startDate": "1795428000000",
        "endDate": "1795514400000",
    }
    vendor.run("search_opportunities", {"pipeline_id": "pip1"})
    assert vendor.app.state.queries[-1] == {
        "location_id": LOCATION,
        "pipeline_id": "pip1",
        "limit": "20",
        "page": "1",
    }


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("get_contact", {"contact_id": "../locations"}),
        ("get_contact", {"contact_id": "a/b"}),
        ("get_contact", {"contact_id": "con1\n"[:5] + "?x"}),
        ("get_contact", {"contact_id": ""}),
        ("get_contact", {"contact_id": "con1", "extra": 1}),
        ("upsert_contact", {"first_name": "Ada"}),
        ("upsert_contact", {"phone": "0171 1234567"}),
        ("upsert_contact", {"email": "ada"}),
        ("search_contacts", {"query": "a" * 76}),
        ("search_contacts", {"page": 101, "page_limit": 100}),
        ("add_tags", {"contact_id": "con1", "tags": []}),
        ("send_message", {"contact_id": "con1"}),
        ("send_message", {"contact_id": "con1", "message": "Hi", "type": "Fax"}),
        ("free_slots", {"calendar_id": "c", "start": START, "end": "2026-12-24T10:00:01Z"}),
        ("free_slots", {"calendar_id": "c", "start": START, "end": START}),
        ("free_slots", {"calendar_id": "c", "start": "2026-11-23T10:00:00", "end": START}),
        ("book_appointment", {"calendar_id": "c", "contact_id": "con1", "start_time": "soon"}),
        ("update_opportunity_status", {"opportunity_id": "o", "status": "maybe"}),
    ],
)
def test_what_cannot_be_right_is_refused_before_the_call(name: str, given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ACTIONS[name].input.model_validate(given)
