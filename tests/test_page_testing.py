"""The testing tools and the doctor's drawer: what their buttons do to the hub."""

from collections.abc import Iterator

import pytest
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from lib.access import Actor
from lib.connections import integrations
from lib.hub import Hub
from lib.intake import rejections
from lib.laboratory import endpoints
from lib.models import Destination, IntegrationConfig, TrialEndpoint, WebhookEvent
from lib.outgoing import routes
from lib.outgoing.routes import RouteDraft
from lib.providers.registry import all_providers
from lib.vault.row_secrets import open_values
from tests.destination_factories import API_KEY, add_destination, use_targets
from tests.event_factories import SID, TOKEN, make_event, make_integration
from tests.fakes.server import running
from tests.processes import free_port
from tests.receiving import Signed, post, receiving, sign_form, trusting
from tests.visitors import Visitor, visiting
from webhook_receiver.app import create_app

OTHER_TOKEN = "fedcba9876543210fedcba9876543210"
SMS = {"MessageSid": "SM1", "AccountSid": SID, "Body": "Hello"}


@pytest.fixture
def live(sqlite_hub: Hub) -> Iterator[Hub]:
    """The hub with a receiver that listens."""
    with running(create_app(sqlite_hub), has_lifespan=True) as url:
        yield trusting(sqlite_hub, receiver_port=int(url.rpartition(":")[2]))


@pytest.fixture
def visitor(live: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    with visiting(live, monkeypatch) as visitor:
        yield visitor


def open_tool(visitor: Visitor, tool: str) -> AppTest:
    script = visitor.open("testing")
    assert not script.exception
    script.segmented_control(key="testing_tool").set_value(tool).run()
    assert not script.exception
    return script


def save(script: AppTest, label: str) -> AppTest:
    found = next(each for each in script.button if each.label == label)
    return found.click().run()


def written(script: AppTest) -> str:
    kinds = (
        script.code,
        script.markdown,
        script.caption,
        script.text_input,
        script.error,
        script.warning,
        script.success,
        script.info,
        script.text_area,
    )
    return repr([each.value for kind in kinds for each in kind])


def test_a_sample_is_sent_and_followed_to_its_event(visitor: Visitor) -> None:
    make_integration(visitor.hub, visitor.sign_in("member"))
    script = open_tool(visitor, "Simulator")
    assert SID in script.text_area(key="testing_body").value
    script.selectbox(key="testing_sample").set_value("message.status (delivered)").run()
    script.button(key="testing_send").click().run()
    assert not script.exception
    with visitor.hub.database.read() as session:
        (event,) = session.exec(select(WebhookEvent)).all()
    assert event.event_type == "message.status"
    assert "204" in written(script)
    assert "is delivered" in written(script)
    assert TOKEN not in written(script)
    script.button(key="testing_send").click().run()
    assert "had this event already" in written(script)
    script.button(key="testing_fresh").click().run()
    script.button(key="testing_send").click().run()
    with visitor.hub.database.read() as session:
        assert len(session.exec(select(WebhookEvent)).all()) == 2


def test_a_simulated_event_says_so_in_its_drawer(visitor: Visitor) -> None:
    make_integration(visitor.hub, visitor.sign_in("member"))
    script = open_tool(visitor, "Simulator")
    script.button(key="testing_send").click().run()
    with visitor.hub.database.read() as session:
        (event,) = session.exec(select(WebhookEvent)).all()
    drawer = visitor.open("activity")
    drawer.query_params["event"] = event.id
    drawer.run()
    assert "Simulated" in written(drawer)


def test_highlevels_own_signature_is_said_to_be_out_of_reach(visitor: Visitor) -> None:
    make_integration(visitor.hub, visitor.sign_in("member"), service_name="gohighlevel")
    script = open_tool(visitor, "Simulator")
    assert "Nobody but HighLevel holds the key" in written(script)
    script.button(key="testing_send").click().run()
    assert "200" in written(script)


def test_a_receiver_that_is_down_is_said_in_words(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_integration(visitor.hub, visitor.sign_in("member"))
    down = trusting(visitor.hub, receiver_port=free_port())
    monkeypatch.setattr("lib.ui.resources.open_hub", lambda settings: down)
    script = open_tool(visitor, "Simulator")
    script.button(key="testing_send").click().run()
    assert any("python -m webhook_receiver" in each.value for each in script.toast)


def test_an_address_is_made_watched_and_removed(visitor: Visitor) -> None:
    member = visitor.sign_in("member")
    script = open_tool(visitor, "Bin & chaos")
    script.text_input(key="testing_trial_name").input("My bin")
    save(script, "Make the address")
    (item,) = endpoints.list_all(visitor.hub, member)
    assert item.url in [each.value for each in script.code]
    assert "Waiting for the first request" in written(script)
    with receiving(visitor.hub) as client:
        post(client, item.url, Signed(b'{"hello": 1}', {"x-hub-secret": "never-shown-1"}))
    script.run()
    assert '{"hello": 1}' in written(script)
    assert "never-shown-1" not in written(script)
    script.button(key=f"testing_remove_{item.id}").click().run()
    with visitor.hub.database.read() as session:
        assert session.exec(select(TrialEndpoint)).all() == []


def test_a_chaos_receiver_keeps_what_was_chosen(visitor: Visitor) -> None:
    member = visitor.sign_in("member")
    script = open_tool(visitor, "Bin & chaos")
    script.segmented_control(key="testing_trial_kind").set_value("chaos").run()
    script.number_input(key="testing_trial_status").set_value(429)
    script.slider(key="testing_trial_share").set_value(40)
    script.slider(key="testing_trial_delay").set_value(3)
    save(script, "Make the address")
    (item,) = endpoints.list_all(visitor.hub, member)
    assert item.behaviour == endpoints.Behaviour(429, 3.0, 40)
    assert "Answers 429 to 40%" in written(script)


def test_a_local_address_is_no_destination_until_the_operator_opens_it(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = visitor.sign_in("member")
    item = endpoints.add(visitor.hub, member, kind="bin", name="My bin")
    script = open_tool(visitor, "Bin & chaos")
    script.button(key=f"testing_use_{item.id}").click().run()
    assert any("HUB_ALLOWED_PRIVATE_NETWORKS" in each.value for each in script.toast)
    with visitor.hub.database.read() as session:
        assert session.exec(select(Destination)).all() == []


def test_a_public_address_becomes_a_destination(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = trusting(visitor.hub, public_url="https://hub.example.com")
    monkeypatch.setattr("lib.ui.resources.open_hub", lambda settings: public)
    item = endpoints.add(public, visitor.sign_in("member"), kind="chaos", name="My chaos")
    script = open_tool(visitor, "Bin & chaos")
    script.button(key=f"testing_use_{item.id}").click().run()
    assert not script.exception
    with visitor.hub.database.read() as session:
        (row,) = session.exec(select(Destination)).all()
    assert (row.name, row.kind, row.url_host) == ("My chaos", "http", "hub.example.com")
    assert any(each.value.startswith("whsec_") for each in script.code)


def test_a_route_is_tried_without_sending(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_targets(monkeypatch)
    member = visitor.sign_in("member")
    item = make_integration(visitor.hub, member)
    place = add_destination(visitor.hub, member, kind="keyed_hook").destination
    filters = [{"path": "data.Body", "operator": "contains", "value": "Goodbye"}]
    routes.add(visitor.hub, member, RouteDraft(item.id, place.id, ["*"], filters))
    make_event(visitor.hub, item)
    script = open_tool(visitor, "Route test")
    assert "it is not true that data" in script.warning[0].value
    assert "Goodbye" in script.warning[0].value
    assert API_KEY not in written(script)


def test_the_calculator_forgets_the_secret(visitor: Visitor) -> None:
    visitor.sign_in("member")
    script = open_tool(visitor, "Calculator")
    script.text_input(key="testing_calculator_url").input("https://example.com/a")
    script.text_area(key="testing_calculator_body").input("B=2\nA=1")
    script.text_input(key="testing_calculator_secret").input("12345")
    save(script, "Calculate")
    assert not script.exception
    assert "https://example.com/aA1B2" in [each.value for each in script.code]
    assert script.text_input(key="testing_calculator_secret").value == ""
    save(script, "Calculate")
    assert "no Auth Token" in script.error[0].value


def refuse(hub: Hub, owner: Actor, *, token: str, url: str = "") -> str:
    """Have a receiver refuse a message for the owner's first integration."""
    item = make_integration(hub, owner)
    with receiving(hub) as client:
        post(client, item.webhook_url, sign_form(url or item.webhook_url, SMS, token=token))
    return rejections.list_rejections(hub, owner).rows[0].id


def stored_tokens(hub: Hub) -> set[str]:
    with hub.database.read() as session:
        rows = session.exec(select(IntegrationConfig)).all()
    return {open_values(hub.vault, row)["auth_token"] for row in rows}


def test_the_drawer_names_the_cause_and_takes_the_secret_over(visitor: Visitor) -> None:
    member = visitor.sign_in("member")
    refuse(visitor.hub, member, token=OTHER_TOKEN)
    values = {"account_sid": SID, "auth_token": OTHER_TOKEN}
    integrations.add(visitor.hub, member, service_name="twilio", name="Second", values=values)
    script = visitor.open("rejected")
    rejection_id = rejections.list_rejections(visitor.hub, member).rows[0].id
    script.query_params["examine"] = rejection_id
    script.run()
    assert not script.exception
    assert "Second holds the account's present Auth Token" in script.warning[0].value
    script.button(key="rejected_finding_0_apply").click().run()
    assert stored_tokens(visitor.hub) == {OTHER_TOKEN}
    assert OTHER_TOKEN not in written(script)


def test_an_entered_token_is_kept_only_if_it_fits(visitor: Visitor) -> None:
    member = visitor.sign_in("member")
    rejection_id = refuse(visitor.hub, member, token=OTHER_TOKEN)
    script = open_tool(visitor, "Doctor")
    box = f"testing_finding_0_entered_{rejection_id}"
    script.text_input(key=box).input("wrong-token")
    save(script, "Check and keep")
    assert any("does not pass" in each.value for each in script.toast)
    assert stored_tokens(visitor.hub) == {TOKEN}
    script.text_input(key=box).input(OTHER_TOKEN)
    save(script, "Check and keep")
    assert stored_tokens(visitor.hub) == {OTHER_TOKEN}
    assert OTHER_TOKEN not in written(script)
    assert "passes with what is set now" in script.success[0].value


def test_only_staff_see_the_setting_and_may_accept(visitor: Visitor) -> None:
    staff = visitor.sign_in("staff")
    item = make_integration(visitor.hub, staff)
    url = item.webhook_url.replace("http:", "https:")
    with receiving(visitor.hub) as client:
        post(client, item.webhook_url, sign_form(url, SMS, token=TOKEN))
    script = open_tool(visitor, "Doctor")
    assert "HUB_PUBLIC_URL=https://localhost:8000" in [each.value for each in script.code]
    script.button(key="testing_accept").click().run()
    with visitor.hub.database.read() as session:
        (event,) = session.exec(select(WebhookEvent)).all()
    assert "accepted by staff" in event.verification


def test_members_are_told_to_ask_staff(visitor: Visitor) -> None:
    member = visitor.sign_in("member")
    item = make_integration(visitor.hub, member)
    url = item.webhook_url.replace("http:", "https:")
    with receiving(visitor.hub) as client:
        post(client, item.webhook_url, sign_form(url, SMS, token=TOKEN))
    script = open_tool(visitor, "Doctor")
    assert "show this to staff" in written(script)
    assert "Accept once" not in [each.label for each in script.button]


def test_an_analyst_is_refused_in_words(visitor: Visitor) -> None:
    visitor.sign_in("analyst")
    script = visitor.run_alone("testing")
    assert "not for the role analyst" in script.error[0].value


@pytest.mark.parametrize("slug", [provider.slug for provider in all_providers()])
def test_the_wizard_shows_each_providers_note(visitor: Visitor, slug: str) -> None:
    visitor.sign_in("member")
    provider = next(each for each in all_providers() if each.slug == slug)
    script = visitor.open("integrations")
    script.button(key="integrations_add").click().run()
    script.button(key=f"integrations_choose_{slug}").click().run()
    assert provider.setup_note().strip() in [each.value for each in script.markdown]
