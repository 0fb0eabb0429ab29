"""The Webhooks page: what its forms and buttons leave in the tables, and what they never show."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from lib.access import Actor
from lib.clock import now
from lib.hub import Hub
from lib.models import AuditEntry, Delivery, Destination, Route
from lib.outgoing import destinations, routes
from lib.outgoing.destination_secrets import open_secrets
from lib.outgoing.field_paths import field_paths
from lib.people.users import add_user
from lib.providers.targets import Reply
from tests.destination_factories import (
    API_KEY,
    TOKEN_PART,
    URL,
    SenderDouble,
    add_destination,
    add_route,
    make_delivery_rollup,
    queue_delivery,
    set_state,
    use_targets,
)
from tests.event_factories import make_event, make_integration
from tests.visitors import Visitor, visiting

PASSWORD = "correct horse battery"
DRAFT = "webhooks_draft"


@pytest.fixture(autouse=True)
def sender(monkeypatch: pytest.MonkeyPatch) -> SenderDouble:
    return use_targets(monkeypatch)


@pytest.fixture
def visitor(sqlite_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    with visiting(sqlite_hub, monkeypatch) as visitor:
        yield visitor


def _open(visitor: Visitor, **parameters: str) -> AppTest:
    script = visitor.open("webhooks")
    for name, value in parameters.items():
        script.query_params[name] = value
    script.run()
    assert not script.exception
    return script


def _open_routes(visitor: Visitor) -> AppTest:
    script = _open(visitor)
    script.button_group(key="webhooks_view").set_value("Routes").run()
    assert not script.exception
    return script


def _click(script: AppTest, key: str) -> AppTest:
    script.button(key=key).click().run()
    assert not script.exception
    return script


def _save(script: AppTest, label: str) -> AppTest:
    next(each for each in script.button if each.label == label).click().run()
    assert not script.exception
    return script


def _destination(hub: Hub) -> Destination:
    with hub.database.read() as session:
        return session.exec(select(Destination)).one()


def _routes(hub: Hub) -> list[Route]:
    with hub.database.read() as session:
        return list(session.exec(select(Route).order_by(Route.id)))


def _codes(script: AppTest) -> list[str]:
    return [each.value for each in script.code]


def _written(script: AppTest) -> str:
    kinds = (
        script.code,
        script.markdown,
        script.caption,
        script.text_input,
        script.number_input,
        script.error,
        script.dataframe,
        script.metric,
        script.json,
    )
    return repr([(each.value, each.proto) for kind in kinds for each in kind])


def test_the_first_look_says_what_to_do(visitor: Visitor) -> None:
    visitor.sign_in("member")
    script = _open(visitor)
    assert "Add the place that your events should go to" in script.info[0].value
    script = _open_routes(visitor)
    assert "No routes yet" in script.info[0].value
    script = _click(script, "webhooks_add")
    assert "starts at an integration" in script.info[0].value


def test_an_added_destination_is_stored_and_shows_its_secret_once(visitor: Visitor) -> None:
    visitor.sign_in("member")
    script = _click(_open(visitor), "webhooks_add")
    script = _click(script, "webhooks_choose_keyed_hook")
    script.text_input(key="webhooks_name_keyed_hook").input("CRM")
    script.text_input(key="webhooks_url_keyed_hook").input(URL)
    script.text_input(key="webhooks_api_key_keyed_hook").input(API_KEY)
    script.number_input(key="webhooks_per_second_keyed_hook").set_value(5.0)
    _save(script, "Save destination")
    row = _destination(visitor.hub)
    opened = open_secrets(visitor.hub.vault, row, now())
    assert (row.name, opened.url, opened.values) == ("CRM", URL, {"api_key": API_KEY})
    assert row.config_data == {"rate_limit": {"per_second": 5.0}}
    assert opened.signing[0] in _codes(script)
    written = _written(script)
    assert TOKEN_PART not in written
    assert API_KEY not in written
    _click(script, "webhooks_copied")
    assert opened.signing[0] not in _written(script)


def test_a_bad_value_is_said_at_its_field_and_stores_nothing(visitor: Visitor) -> None:
    visitor.sign_in("member")
    script = _open(visitor, add="keyed_hook")
    script.text_input(key="webhooks_url_keyed_hook").input("ftp://example.com")
    _save(script, "Save destination")
    assert "no address of a hook" in script.error[0].value
    script.text_input(key="webhooks_url_keyed_hook").input(URL)
    script.number_input(key="webhooks_per_five_minutes_keyed_hook").set_value(10)
    _save(script, "Save destination")
    assert "requests per second" in script.error[0].value
    with visitor.hub.database.read() as session:
        assert session.exec(select(Destination)).all() == []


def test_an_edit_keeps_what_is_left_blank(visitor: Visitor) -> None:
    ada = visitor.sign_in("member")
    item = add_destination(visitor.hub, ada, kind="keyed_hook").destination
    script = _open(visitor, open=item.id)
    box = script.text_input(key=f"webhooks_url_{item.id}")
    assert (box.value, box.placeholder) == ("", f"••••{URL[-4:]}  (leave blank to keep)")
    script.text_input(key=f"webhooks_name_{item.id}").input("Renamed")
    script.text_input(key=f"webhooks_team_{item.id}").input("7")
    script.number_input(key=f"webhooks_concurrency_{item.id}").set_value(4)
    _save(script, "Save changes")
    row = _destination(visitor.hub)
    opened = open_secrets(visitor.hub.vault, row, now())
    assert (row.name, row.config_data, opened.url) == ("Renamed", {"concurrency": 4}, URL)
    assert opened.values == {"api_key": API_KEY, "team": "7"}


def test_the_list_shows_figures_and_no_secret(visitor: Visitor) -> None:
    ada = visitor.sign_in("member")
    issued = add_destination(visitor.hub, ada)
    event_id = make_event(visitor.hub, make_integration(visitor.hub, ada))
    queue_delivery(visitor.hub, event_id, issued.destination)
    make_delivery_rollup(visitor.hub, issued.destination, 199)
    make_delivery_rollup(visitor.hub, issued.destination, 1, outcome="dead")
    script = _open(visitor)
    (row,) = script.dataframe[0].value.to_dict("records")
    assert (row["name"], row["address"]) == ("Warehouse", f"hooks.example.com:8443/••••{URL[-4:]}")
    assert (row["success"], row["p95"], row["queued"]) == ("99.5%", "32 ms", "1")
    written = _written(script)
    assert TOKEN_PART not in written
    assert issued.signing_secret not in written


def test_a_test_shows_what_the_other_side_answered(visitor: Visitor, sender: SenderDouble) -> None:
    ada = visitor.sign_in("member")
    item = add_destination(visitor.hub, ada).destination
    sender.reply = Reply(500, {}, f"no such {TOKEN_PART}".encode())
    script = _click(_open(visitor, open=item.id), "webhooks_test")
    assert "Would be tried again" in script.warning[0].value
    assert "Status 500" in script.warning[0].value
    assert "no such [redacted]" in _codes(script)
    assert len(sender.requests) == 1


def test_pause_and_rotation_are_stored(visitor: Visitor) -> None:
    ada = visitor.sign_in("member")
    first = add_destination(visitor.hub, ada)
    script = _click(_open(visitor, open=first.destination.id), "webhooks_pause")
    assert not _destination(visitor.hub).is_active
    assert "Paused" in script.info[0].value
    script = _click(script, "webhooks_rotate")
    signing = open_secrets(visitor.hub.vault, _destination(visitor.hub), now()).signing
    assert signing[1] == first.signing_secret
    assert signing[0] in _codes(script)
    assert first.signing_secret not in _written(script)


def test_the_address_is_shown_after_the_password_alone(visitor: Visitor) -> None:
    ada, _ = add_user(
        visitor.hub, email="ada@example.com", name="Ada", role="member", password=PASSWORD
    )
    visitor.sign_in_as(ada)
    item = add_destination(visitor.hub, ada).destination
    script = _open(visitor, open=item.id)
    for typed, is_shown in (("not my password", False), (PASSWORD, True)):
        _click(script, "webhooks_reveal")
        script.text_input(key="webhooks_password").input(typed)
        _click(script, "webhooks_reveal_confirm")
        assert (URL in _codes(script)) is is_shown
        assert typed not in _written(script)
    _click(script, "webhooks_copied")
    assert TOKEN_PART not in _written(script)
    _click(script, "webhooks_back")
    assert TOKEN_PART not in _written(script)
    with visitor.hub.database.read() as session:
        actions = [entry.action for entry in session.exec(select(AuditEntry))]
    assert actions.count("destination.url_revealed") == 1


def test_staff_are_not_offered_to_reveal_a_members_address(visitor: Visitor) -> None:
    ada = visitor.sign_in("member")
    item = add_destination(visitor.hub, ada).destination
    visitor.sign_in("staff")
    script = _open(visitor, open=item.id)
    assert "webhooks_reveal" not in [each.key for each in script.button]
    assert script.title[0].value == "Warehouse"


def test_deleting_needs_the_name_and_says_what_it_costs(visitor: Visitor) -> None:
    ada = visitor.sign_in("member")
    item = add_destination(visitor.hub, ada).destination
    event_id = make_event(visitor.hub, make_integration(visitor.hub, ada))
    for _ in range(2):
        queue_delivery(visitor.hub, event_id, item)
    script = _open(visitor, open=item.id)
    _click(script, "webhooks_delete")
    assert "**2 open deliveries** will be cancelled" in _written(script)
    script.text_input(key="webhooks_typed_name").input("wrong")
    _click(script, "webhooks_delete_confirm")
    assert _destination(visitor.hub).deleted_at is None
    _click(script, "webhooks_delete")
    script.text_input(key="webhooks_typed_name").input("Warehouse")
    _click(script, "webhooks_delete_confirm")
    assert _destination(visitor.hub).deleted_at is not None
    with visitor.hub.database.read() as session:
        assert {row.status for row in session.exec(select(Delivery))} == {"cancelled"}


def test_a_disabled_destination_is_enabled_by_its_button(visitor: Visitor) -> None:
    ada = visitor.sign_in("member")
    item = add_destination(visitor.hub, ada).destination
    with visitor.hub.database.write() as session:
        row = session.get_one(Destination, item.id)
        row.disabled_at, row.disabled_reason = now(), "It answered 410."
    script = _open(visitor, open=item.id)
    assert "Nothing is sent here" in script.error[0].value
    _click(script, "webhooks_enable")
    assert _destination(visitor.hub).disabled_at is None
    set_state(visitor.hub, item, breaker="open", blocked_until=now() + timedelta(minutes=5))
    assert "nothing is sent for 4 min" in _open(visitor, open=item.id).warning[0].value


def test_a_route_is_built_on_real_events(visitor: Visitor) -> None:
    ada = visitor.sign_in("member")
    source = make_integration(visitor.hub, ada)
    item = add_destination(visitor.hub, ada, kind="keyed_hook").destination
    make_event(visitor.hub, source, payload={"From": "+44", "n": 1})
    make_event(visitor.hub, source, payload={"From": "+1415", "n": 2})
    script = _click(_open(visitor, open=item.id), "webhooks_add_route_here")
    assert script.selectbox(key=f"{DRAFT}_to").value == item.id
    script.selectbox(key=f"{DRAFT}_from").select(source.id).run()
    assert "**2** of the last 2 events" in _written(script)
    _click(script, f"{DRAFT}_add_row")
    script.selectbox(key=f"{DRAFT}_path_0").select("data.From").run()
    script.selectbox(key=f"{DRAFT}_operator_0").select("starts_with").run()
    script.text_input(key=f"{DRAFT}_value_0").input("+1").run()
    assert "**1** of the last 2 events" in _written(script)
    script.selectbox(key=f"{DRAFT}_shape").select("Type and id").run()
    assert '"event_type"' in script.json[1].value
    script.selectbox(key=f"{DRAFT}_shape").select("An expression of my own").run()
    mapping = script.text_area(key=f"{DRAFT}_mapping")
    assert mapping.value == "{event_type: type, id: id}"
    mapping.input("{from: data.From").run()
    assert "ends too early" in script.error[0].value
    _click(script, "webhooks_save_route")
    assert _routes(visitor.hub) == []
    assert "ends too early" in script.error[0].value
    script.text_area(key=f"{DRAFT}_mapping").input("{from: data.From}")
    _click(script, "webhooks_save_route")
    (row,) = _routes(visitor.hub)
    assert (row.integration_id, row.destination_id) == (source.id, item.id)
    assert row.filters == [{"path": "data.From", "operator": "starts_with", "value": "+1"}]
    assert (row.event_types, row.mapping) == (["*"], "{from: data.From}")
    assert script.title[0].value == "Warehouse"


def test_an_edited_route_begins_with_what_is_stored(visitor: Visitor) -> None:
    ada = visitor.sign_in("member")
    source = make_integration(visitor.hub, ada)
    item = add_destination(visitor.hub, ada).destination
    filters = [
        {"path": "data.old", "operator": "in", "value": ["a", "b"]},
        {"path": "data.Body", "operator": "exists"},
    ]
    more = {"event_types": ["message.received"], "filters": filters, "mapping": "data"}
    route = add_route(visitor.hub, ada, source, item, **more)
    make_event(visitor.hub, source)
    script = _open_routes(visitor)
    assert "data\\.old is one of **a, b** and data\\.Body exists" in " ".join(
        each.value for each in script.caption
    )
    _click(script, f"webhooks_edit_route_{route.id}")
    assert script.selectbox(key=f"{DRAFT}_path_0").value == "data.old"
    assert script.text_input(key=f"{DRAFT}_value_0").value == "a, b"
    assert script.text_area(key=f"{DRAFT}_mapping").value == "data"
    assert script.multiselect(key=f"{DRAFT}_types").value == ["message.received"]
    _click(script, f"{DRAFT}_remove_0")
    _click(script, "webhooks_save_route")
    (row,) = _routes(visitor.hub)
    assert row.filters == [{"path": "data.Body", "operator": "exists"}]
    assert (row.event_types, row.mapping) == (["message.received"], "data")
    assert script.button_group(key="webhooks_view").value == "Routes"
    assert not script.warning
    _click(script, f"webhooks_edit_route_{route.id}")
    _click(script, "webhooks_delete_route")
    assert _routes(visitor.hub)[0].deleted_at is not None


def test_a_half_built_route_may_be_left_and_begun_anew(visitor: Visitor) -> None:
    ada = visitor.sign_in("member")
    source = make_integration(visitor.hub, ada)
    item = add_destination(visitor.hub, ada).destination
    script = _open(visitor, route="new", to=item.id)
    for chosen in (source.id, None, source.id):
        script.selectbox(key=f"{DRAFT}_from").select(chosen).run()
        assert not script.exception
    script.multiselect(key=f"{DRAFT}_types").select("message.received").run()
    _click(script, f"{DRAFT}_add_row")
    script.switch_page("../../pages/activity.py").run()
    script.switch_page("../../pages/webhooks.py")
    script.query_params["route"] = "new"
    script.run()
    assert not script.exception
    assert script.selectbox(key=f"{DRAFT}_from").value is None
    script.selectbox(key=f"{DRAFT}_from").select(source.id).run()
    script.selectbox(key=f"{DRAFT}_to").select(item.id).run()
    _click(script, "webhooks_save_route")
    (row,) = _routes(visitor.hub)
    assert (row.event_types, row.filters) == (["*"], [])


def test_the_switch_pauses_a_route_and_follows_what_others_do(visitor: Visitor) -> None:
    ada = visitor.sign_in("member")
    source = make_integration(visitor.hub, ada)
    route = add_route(visitor.hub, ada, source, add_destination(visitor.hub, ada).destination)
    script = _open_routes(visitor)
    key = f"webhooks_active_{route.id}"
    script.toggle(key=key).set_value(False).run()
    assert not _routes(visitor.hub)[0].is_active
    routes.resume(visitor.hub, ada, route.id)
    script.run()
    assert script.toggle(key=key).value is True


def test_staff_build_a_route_within_one_member(visitor: Visitor) -> None:
    ada = visitor.sign_in("member")
    source = make_integration(visitor.hub, ada)
    item = add_destination(visitor.hub, ada).destination
    staff = visitor.sign_in("staff")
    add_destination(visitor.hub, staff, "Of staff")
    script = _open(visitor, route="new")
    assert len(script.selectbox(key=f"{DRAFT}_to").options) == 2
    script.selectbox(key=f"{DRAFT}_from").select(source.id).run()
    assert script.selectbox(key=f"{DRAFT}_to").options == ["Warehouse"]
    script.selectbox(key=f"{DRAFT}_to").select(item.id).run()
    _click(script, "webhooks_save_route")
    assert _routes(visitor.hub)[0].user_id == ada.id


@pytest.mark.parametrize("parameter", ["open", "route"])
def test_anothers_destination_and_route_are_not_found(visitor: Visitor, parameter: str) -> None:
    owner = visitor.sign_in("staff")
    item = add_destination(visitor.hub, owner, "Hidden place").destination
    route = add_route(visitor.hub, owner, make_integration(visitor.hub, owner), item)
    visitor.sign_in("member")
    script = _open(visitor, **{parameter: item.id if parameter == "open" else route.id})
    assert "There is no such" in script.error[0].value
    assert "Hidden" not in _written(script)
    assert not script.title


def test_an_analyst_has_no_such_page(visitor: Visitor) -> None:
    analyst: Actor = visitor.sign_in("analyst")
    assert destinations.list_all(visitor.hub, analyst) == []
    script = visitor.run_alone("webhooks")
    assert "not for the role analyst" in script.error[0].value
    assert [each.key for each in script.button] == []


def test_fields_are_offered_as_paths_that_filters_take() -> None:
    document = {"data": {"a b": {"c": 1}, "tags": ["x"], "items": [{"sku": 1}], "none": {}}}
    assert field_paths(document) == [
        'data."a b".c',
        "data.tags[*]",
        "data.items[*].sku",
        "data.none",
    ]
    assert len(field_paths({"data": list(range(9_000)), **{f"k{n}": n for n in range(900)}})) == 200
