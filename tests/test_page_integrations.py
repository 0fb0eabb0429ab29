"""The integrations page: what its forms and buttons leave in the tables."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from lib import overview
from lib.access import Actor
from lib.clock import shifted
from lib.connections import integrations
from lib.hub import Hub
from lib.models import IntegrationConfig, RetentionWaiting
from lib.outgoing.routes import list_all as list_routes
from lib.providers.base import CheckResult
from lib.providers.registry import get_provider
from lib.retention.rounds import RetentionWork
from lib.ui.integrations import menu as integration_menu
from lib.vault.row_secrets import open_values
from tests.event_factories import SID, TOKEN, make_event, make_integration
from tests.factories import make_user
from tests.outgoing_factories import make_delivery, make_destination
from tests.visitors import Visitor, visiting


@pytest.fixture
def visitor(sqlite_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    with visiting(sqlite_hub, monkeypatch) as visitor:
        yield visitor


def _rows(hub: Hub) -> list[IntegrationConfig]:
    with hub.database.read() as session:
        return list(session.exec(select(IntegrationConfig)))


def _open_form(visitor: Visitor, slug: str) -> AppTest:
    script = visitor.open("integrations")
    script.button(key="integrations_add").click().run()
    return script.button(key=f"integrations_choose_{slug}").click().run()


def _save(script: AppTest, label: str) -> AppTest:
    return next(each for each in script.button if each.label == label).click().run()


def _open_one(visitor: Visitor, actor: Actor) -> tuple[AppTest, str]:
    item = make_integration(visitor.hub, actor)
    script = visitor.open("integrations")
    script.button(key=f"integrations_open_{item.id}").click().run()
    return script, item.id


def _written(script: AppTest) -> str:
    kinds = (script.code, script.markdown, script.caption, script.text_input, script.error)
    return repr([(each.value, each.proto) for kind in kinds for each in kind])


def test_an_added_integration_is_stored_and_shows_its_address(visitor: Visitor) -> None:
    visitor.sign_in("member")
    script = _open_form(visitor, "twilio")
    script.text_input(key="integrations_account_sid_twilio").input(SID)
    script.text_input(key="integrations_auth_token_twilio").input(TOKEN)
    _save(script, "Save and show the address")
    assert not script.exception
    (row,) = _rows(visitor.hub)
    assert open_values(visitor.hub.vault, row)["auth_token"] == TOKEN
    assert row.webhook_url in [each.value for each in script.code]
    assert "Waiting for the first event…" in [each.value for each in script.info]
    assert TOKEN not in _written(script)


def test_a_bad_value_is_said_at_its_field_and_stores_nothing(visitor: Visitor) -> None:
    visitor.sign_in("member")
    script = _open_form(visitor, "twilio")
    script.text_input(key="integrations_account_sid_twilio").input("AC12")
    script.text_input(key="integrations_auth_token_twilio").input(TOKEN)
    _save(script, "Save and show the address")
    assert "Account SID is not right" in script.error[0].value
    assert _rows(visitor.hub) == []


def test_an_issued_secret_is_shown_until_it_is_copied(visitor: Visitor) -> None:
    visitor.sign_in("member")
    script = _save(_open_form(visitor, "make"), "Save and show the address")
    (row,) = _rows(visitor.hub)
    secret = next(
        value for value in open_values(visitor.hub.vault, row).values() if len(value) > 20
    )
    assert secret in [each.value for each in script.code]
    script.button(key="integrations_copied").click().run()
    assert secret not in _written(script)


def test_staff_may_use_the_token_of_this_server(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", SID)
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", TOKEN)
    visitor.sign_in("staff")
    script = _open_form(visitor, "twilio")
    assert script.text_input(key="integrations_account_sid_twilio").value == SID
    assert TOKEN not in _written(script)
    script.checkbox(key="integrations_use_auth_token_twilio").check()
    _save(script, "Save and show the address")
    (row,) = _rows(visitor.hub)
    assert open_values(visitor.hub.vault, row)["auth_token"] == TOKEN


@pytest.mark.parametrize(("name", "is_open"), [("account_sid", False), ("region", True)])
def test_optional_settings_open_for_a_problem_of_their_own(
    visitor: Visitor, name: str, is_open: bool
) -> None:
    visitor.sign_in("member")
    script = _open_form(visitor, "twilio")
    script.text_input(key="integrations_account_sid_twilio").input(SID)
    script.text_input(key="integrations_auth_token_twilio").input(TOKEN)
    script.text_input(key=f"integrations_{name}_twilio").input("no")
    _save(script, "Save and show the address")
    assert script.error
    assert [each.proto.expanded for each in script.expander] == [is_open]


def test_an_edit_keeps_a_secret_that_is_left_blank(visitor: Visitor) -> None:
    script, integration_id = _open_one(visitor, visitor.sign_in("member"))
    box = script.text_input(key=f"integrations_auth_token_{integration_id}")
    assert (box.value, box.placeholder) == ("", "••••1e0f  (leave blank to keep)")
    script.text_input(key=f"integrations_name_{integration_id}").input("Night desk")
    _save(script, "Save changes")
    (row,) = _rows(visitor.hub)
    assert row.name == "Night desk"
    assert open_values(visitor.hub.vault, row)["auth_token"] == TOKEN
    assert TOKEN not in _written(script)


def test_a_test_keeps_its_outcome(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = CheckResult("failed", "The Auth Token is refused. Copy it again.")
    monkeypatch.setattr(type(get_provider("twilio")), "check", lambda *_: answer)
    script, _ = _open_one(visitor, visitor.sign_in("member"))
    script.button(key="integrations_test").click().run()
    assert _rows(visitor.hub)[0].status == "failed"
    assert "Failed" in script.error[0].value


def test_pause_and_rotation_are_stored(visitor: Visitor) -> None:
    script, _ = _open_one(visitor, visitor.sign_in("member"))
    before = _rows(visitor.hub)[0].webhook_url
    script.button(key="integrations_pause").click().run()
    script.button(key="integrations_rotate").click().run()
    (row,) = _rows(visitor.hub)
    assert not row.is_active
    assert row.webhook_url != before
    assert row.webhook_url in [each.value for each in script.code]


def test_the_ages_of_what_is_kept_are_stored(visitor: Visitor) -> None:
    script, integration_id = _open_one(visitor, visitor.sign_in("member"))
    box = script.number_input(key=f"integrations_payload_days_{integration_id}")
    assert (box.value, box.placeholder) == (None, "30")
    assert "No round of removal has run yet." in _written(script)
    box.set_value(7)
    _save(script, "Save ages")
    assert not script.exception
    assert _rows(visitor.hub)[0].retention == {"payload_days": 7}
    with visitor.hub.database.write() as session:
        session.add(
            RetentionWaiting(integration_id=integration_id, kind="payloads", event_id="evt_1")
        )
    assert "Of 1 older event the payload is still kept" in _written(script.run())
    with shifted(timedelta(hours=-2)):
        RetentionWork(visitor.hub).run_now()
    assert "freed 0 B 2 h ago" in _written(script.run())


def test_ages_that_make_no_sense_are_said_at_their_form(visitor: Visitor) -> None:
    script, integration_id = _open_one(visitor, visitor.sign_in("member"))
    script.number_input(key=f"integrations_event_days_{integration_id}").set_value(20)
    _save(script, "Save ages")
    assert "cannot be kept for 30 days when whole events go after 20" in script.error[0].value
    assert _rows(visitor.hub)[0].retention == {}
    script.number_input(key=f"integrations_event_days_{integration_id}").set_value(None)
    _save(script, "Save ages")
    assert not script.error


def test_deleting_needs_the_name(visitor: Visitor) -> None:
    script, _ = _open_one(visitor, visitor.sign_in("member"))
    script.button(key="integrations_delete").click().run()
    script.text_input(key="integrations_typed_name").input("wrong")
    script.button(key="integrations_delete_confirm").click().run()
    assert _rows(visitor.hub)[0].deleted_at is None
    script.button(key="integrations_delete").click().run()
    script.text_input(key="integrations_typed_name").input("Front desk")
    script.button(key="integrations_delete_confirm").click().run()
    assert _rows(visitor.hub)[0].deleted_at is not None


def test_another_members_integration_is_not_found(visitor: Visitor) -> None:
    item = make_integration(visitor.hub, visitor.sign_in("staff"))
    visitor.sign_in("member")
    script = visitor.open("integrations")
    script.query_params["open"] = item.id
    script.run()
    assert "There is no such integration" in script.error[0].value
    assert item.name not in _written(script)


def test_the_list_is_narrowed_by_words_service_and_status(visitor: Visitor) -> None:
    actor = visitor.sign_in("member")
    desk = make_integration(visitor.hub, actor, "Desk")
    make_integration(visitor.hub, actor, "Orders", service_name="make")
    script = visitor.open("integrations")
    assert "**Orders**" in [each.value for each in script.markdown]
    script.text_input(key="integrations_q").input("DES").run()
    opened = [each.key for each in script.button if str(each.key).startswith("integrations_open")]
    assert opened == [f"integrations_open_{desk.id}"]
    script.selectbox(key="integrations_service").select("make").run()
    assert "No integration matches" in script.info[0].value
    assert not script.exception


def test_the_status_page_is_turned_on_and_off(visitor: Visitor) -> None:
    script, _ = _open_one(visitor, visitor.sign_in("member"))
    script.button(key="integrations_status_on").click().run()
    key = _rows(visitor.hub)[0].status_key
    assert key
    assert any(each.value.endswith(f"/status/{key}") for each in script.code)
    script.button(key="integrations_status_off").click().run()
    assert _rows(visitor.hub)[0].status_key is None
    assert not script.exception


def test_a_removal_says_what_it_cancels_and_the_record_says_who_did_what(
    visitor: Visitor,
) -> None:
    actor = visitor.sign_in("member")
    script, integration_id = _open_one(visitor, actor)
    item = integrations.get(visitor.hub, actor, integration_id)
    make_delivery(visitor.hub, make_event(visitor.hub, item), make_destination(visitor.hub, actor))
    record = next(each for each in script.dataframe if "what" in each.value)
    assert list(record.value["what"]) == ["Added an integration"]
    script.button(key="integrations_delete").click().run()
    assert "**1 open delivery** will be cancelled" in _written(script)


def test_the_menu_of_a_card_copies_and_pauses(visitor: Visitor) -> None:
    actor = visitor.sign_in("member")
    item = make_integration(visitor.hub, actor)
    card = next(iter(overview.first_screen(visitor.hub, actor)[1]))
    assert integration_menu.carry_out(visitor.hub, actor, card, "Pause") == "paused."
    assert not _rows(visitor.hub)[0].is_active
    assert item.is_active


def test_every_bad_value_is_said_at_once(visitor: Visitor) -> None:
    visitor.sign_in("member")
    script = _open_form(visitor, "twilio")
    script.text_input(key="integrations_account_sid_twilio").input("AC12")
    script.text_input(key="integrations_auth_token_twilio").input("two words")
    _save(script, "Save and show the address")
    said = [each.value for each in script.error]
    assert ["Account SID" in said[0], "Auth Token" in said[1]] == [True, True]
    script.text_input(key="integrations_account_sid_twilio").input(SID)
    script.text_input(key="integrations_auth_token_twilio").input(TOKEN)
    _save(script, "Save and show the address")
    assert not script.error
    assert len(_rows(visitor.hub)) == 1


def test_twilio_gets_an_address_with_retries_and_one_without(visitor: Visitor) -> None:
    script, _ = _open_one(visitor, visitor.sign_in("member"))
    url = _rows(visitor.hub)[0].webhook_url
    assert script.code[0].value == _rows(visitor.hub)[0].id
    assert [each.value for each in script.code][1:3] == [f"{url}#rc=3&rp=ct,rt,5xx", url]


def test_a_test_shows_the_account_and_its_scopes(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = CheckResult(
        "accepted",
        "The key is limited.",
        {"account": "Studio *North*"},
        scopes_missing=("calls.read", "calls.write"),
    )
    monkeypatch.setattr(type(get_provider("twilio")), "check", lambda *_: answer)
    script, _ = _open_one(visitor, visitor.sign_in("member"))
    script.button(key="integrations_test").click().run()
    assert _rows(visitor.hub)[0].check_facts == answer.to_json()
    shown = [each.value for each in script.markdown]
    assert "Account: :gray-badge[Studio \\*North\\*]" in shown
    assert "Scopes missing: :orange-badge[calls\\.read] :orange-badge[calls\\.write]" in shown


def test_the_first_route_is_added_where_the_integration_is_connected(visitor: Visitor) -> None:
    actor = visitor.sign_in("member")
    place = make_destination(visitor.hub, actor)
    make_destination(visitor.hub, make_user(visitor.hub, "other@example.com", "member"))
    script, integration_id = _open_one(visitor, actor)
    choice = script.selectbox(key="integrations_route_to")
    assert choice.options == [place.name]
    script.multiselect(key="integrations_route_types").set_value(["message.inbound"])
    _save(script, "Add the route")
    assert not script.exception
    (route,) = list_routes(visitor.hub, actor, integration_id=integration_id).rows
    assert (route.destination_id, route.event_types) == (place.id, ("message.inbound",))
    assert any(place.name in each.value for each in script.success)


def test_without_a_destination_the_route_is_left_for_later(visitor: Visitor) -> None:
    script, _ = _open_one(visitor, visitor.sign_in("member"))
    assert any("now or later" in each.value for each in script.caption)
    assert "integrations_route_to" not in [each.key for each in script.selectbox]


def test_an_action_bar_serves_the_chosen_row(visitor: Visitor) -> None:
    actor = visitor.sign_in("member")
    make_integration(visitor.hub, actor, "Desk")
    orders = make_integration(visitor.hub, actor, "Orders", service_name="make")
    script = visitor.open("integrations")
    script.toggle(key="integrations_table").set_value(True).run()
    assert not [each for each in script.button if str(each.key).startswith("integrations_bar")]
    key = re.search(r"integrations_rows_\w+", script.dataframe[0].proto.id)
    assert key
    # As a click on the row's box does; AppTest has no call for it.
    script.session_state[key[0]] = {"selection": {"rows": [1], "columns": []}}
    script.run()
    bar = {
        each.label: each for each in script.button if str(each.key).startswith("integrations_bar")
    }
    assert list(bar) == ["Test", "Edit", "Rotate address", "Pause", "Duplicate", "Delete"]
    bar["Pause"].click().run()
    assert not script.exception
    assert not integrations.get(visitor.hub, actor, orders.id).is_active


def test_the_newest_events_stand_on_the_integrations_own_screen(visitor: Visitor) -> None:
    item = make_integration(visitor.hub, visitor.sign_in("member"))
    ids = [make_event(visitor.hub, item) for _ in range(22)]
    script = visitor.open("integrations")
    script.query_params["open"] = item.id
    script.run()
    assert not script.exception
    table = next(each for each in script.dataframe if "event_type" in each.value)
    assert list(table.value["id"]) == ids[:1:-1]
    links = [each.proto for each in script.get("page_link")]
    (link,) = [each for each in links if each.label == "All events of this integration"]
    assert link.query_string == f"integration={item.id}"
