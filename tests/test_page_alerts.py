"""The page of alerts: the list, muting, channels and the mail server."""

from collections.abc import Iterator

import pytest
from sqlmodel import select

from lib.alerts.detection import Detection
from lib.clock import now
from lib.hub import Hub
from lib.models import Alert, AlertChannel, AlertKindMute, DestinationState, HubSetting
from tests.outgoing_factories import make_destination
from tests.visitors import Visitor, visiting


@pytest.fixture
def visitor(sqlite_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    with visiting(sqlite_hub, monkeypatch) as visitor:
        yield visitor


def _break(visitor: Visitor, role: str = "member") -> str:
    place = make_destination(visitor.hub, visitor.sign_in(role))
    with visitor.hub.database.write() as session:
        state = session.get(DestinationState, place.id)
        assert state
        state.breaker = "open"
    Detection(visitor.hub).look()
    with visitor.hub.database.read() as session:
        return session.exec(select(Alert.id)).one()


def test_an_alert_is_shown_with_its_way_on_and_in_the_bell(visitor: Visitor) -> None:
    _break(visitor)
    script = visitor.open("alerts")
    assert not script.exception
    shown = [each.value for each in script.main.markdown]
    assert any("High" in each and "Warehouse keeps failing" in each for each in shown)
    aside = [each.value for each in script.sidebar.markdown]
    assert any("Warehouse keeps failing" in each for each in aside)


def test_an_alert_is_muted(visitor: Visitor) -> None:
    alert_id = _break(visitor)
    script = visitor.open("alerts")
    script.button(key=f"alerts_mute_day_{alert_id}").click().run()
    assert not script.exception
    assert script.button(key=f"alerts_unmute_{alert_id}")
    with visitor.hub.database.read() as session:
        alert = session.get(Alert, alert_id)
        assert alert
        assert alert.muted_until


def test_a_kind_is_muted_for_oneself_and_heard_again(visitor: Visitor) -> None:
    alert_id = _break(visitor)
    script = visitor.open("alerts")
    script.button(key=f"alerts_mute_kind_{alert_id}").click().run()
    assert not script.exception
    assert any("You hear nothing of" in each.value for each in script.main.caption)
    with visitor.hub.database.read() as session:
        assert [each.kind for each in session.exec(select(AlertKindMute))] == ["breaker_open"]
    script.button(key="alerts_unmute_kind_breaker_open").click().run()
    assert not script.exception
    assert not any("You hear nothing of" in each.value for each in script.main.caption)


def test_open_ones_are_shown_first_and_the_state_stands_in_the_address(visitor: Visitor) -> None:
    alert_id = _break(visitor)
    with visitor.hub.database.write() as session:
        alert = session.get_one(Alert, alert_id)
        alert.state, alert.resolved_at = "resolved", now()
    script = visitor.open("alerts")
    assert script.success[0].value == "Nothing is wrong."
    script.button_group(key="alerts_state").set_value("all").run()
    assert not script.exception
    assert script.query_params["state"] == "all"
    assert any("Warehouse keeps failing" in each.value for each in script.main.markdown)


def test_nothing_wrong_is_said(visitor: Visitor) -> None:
    visitor.sign_in("member")
    script = visitor.open("alerts")
    assert script.success[0].value == "Nothing is wrong."


def test_an_email_channel_is_added(visitor: Visitor) -> None:
    actor = visitor.sign_in("member")
    script = visitor.open("alerts")
    script.text_input(key="alerts_channel_new_email_address").set_value("not an address")
    script.button(key="alerts_channel_save_new_email").click().run()
    assert "is not right" in script.error[0].value
    script.text_input(key="alerts_channel_new_email_address").set_value("ada@example.org")
    script.button(key="alerts_channel_save_new_email").click().run()
    assert not script.exception
    with visitor.hub.database.read() as session:
        row = session.exec(select(AlertChannel)).one()
    assert (row.user_id, row.config_data["address"]) == (actor.id, "ada@example.org")


def test_staff_set_the_mail_server(visitor: Visitor) -> None:
    visitor.sign_in("staff")
    script = visitor.open("alerts")
    for name, value in {
        "host": "mail.example.com",
        "user": "hub",
        "password": "s3cr3t-words",
        "sender": "hub@example.com",
    }.items():
        script.text_input(key=f"alerts_mail_{name}").set_value(value)
    script.button(key="alerts_mail_save").click().run()
    assert not script.exception
    assert not script.error
    with visitor.hub.database.read() as session:
        row = session.exec(select(HubSetting)).one()
    assert "s3cr3t-words" not in repr(row.value)
    assert script.text_input(key="alerts_mail_password").value == ""
    script.button(key="alerts_mail_remove").click().run()
    assert not script.exception
    with visitor.hub.database.read() as session:
        assert session.exec(select(HubSetting)).all() == []
    assert script.text_input(key="alerts_mail_host").value == ""


def test_members_see_no_mail_server(visitor: Visitor) -> None:
    visitor.sign_in("member")
    script = visitor.open("alerts")
    assert [each.label for each in script.tabs] == ["Alerts", "Channels"]


def test_an_analyst_is_refused_in_words(visitor: Visitor) -> None:
    visitor.sign_in("analyst")
    script = visitor.run_alone("alerts")
    assert "not for the role analyst" in script.error[0].value
