"""The settings of the hub, as staff see them."""

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from lib.hub import Hub
from lib.retention.hub_ages import get_hub_ages
from tests.event_factories import make_event, make_integration
from tests.factories import make_user
from tests.visitors import Visitor, visiting


@pytest.fixture
def visitor(sqlite_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    with visiting(sqlite_hub, monkeypatch) as visitor:
        yield visitor


def _open(visitor: Visitor, section: str) -> AppTest:
    visitor.sign_in("staff")
    script = visitor.open("settings")
    script.segmented_control(key="settings_section").set_value(section).run()
    assert not script.exception
    return script


def test_staff_set_the_hubs_ages(visitor: Visitor) -> None:
    staff = visitor.sign_in("staff")
    make_event(visitor.hub, make_integration(visitor.hub, make_user(visitor.hub)))
    script = visitor.open("settings")
    assert script.metric[0].label == "Database now"
    script.number_input(key="settings_retention_event_days").set_value(20)
    script.button(key="settings_retention_save").click().run()
    assert "whole events" in script.error[0].value
    script.number_input(key="settings_retention_event_days").set_value(None)
    script.number_input(key="settings_retention_payload_days").set_value(7)
    script.button(key="settings_retention_save").click().run()
    assert not script.exception
    assert get_hub_ages(visitor.hub, staff).own == {"payload_days": 7}


def test_health_names_what_is_wrong_and_the_next_step(visitor: Visitor) -> None:
    script = _open(visitor, "Health")
    captions = [each.value for each in script.main.caption]
    assert any("python -m lib.worker" in each for each in captions)
    assert any("python -m webhook_receiver" in each for each in captions)


def test_a_backup_is_made_and_proven(visitor: Visitor) -> None:
    script = _open(visitor, "Backups")
    assert "No backup was made yet" in script.info[0].value
    script.button(key="settings_backups_now").click().run()
    (test,) = [each for each in script.button if each.label == "Test restore"]
    test.click().run()
    assert not script.exception
    assert any("Restores" in each.value for each in script.main.markdown)


@pytest.mark.parametrize("role", ["member", "analyst"])
def test_others_are_refused_in_words(visitor: Visitor, role: str) -> None:
    visitor.sign_in(role)
    script = visitor.run_alone("settings")
    assert "not for the role" in script.error[0].value


def test_the_keys_are_shown_by_their_ids_alone(visitor: Visitor) -> None:
    script = _open(visitor, "Keys")
    (table,) = script.main.dataframe
    assert list(table.value["id"]) == list(visitor.hub.vault.key_ids)
    keys = visitor.hub.settings.master_keys
    assert keys
    assert keys.get_secret_value() not in repr(script.main)


def test_the_environment_is_shown_with_its_lines(visitor: Visitor) -> None:
    script = _open(visitor, "Addresses")
    (table,) = script.main.dataframe
    assert "HUB_PUBLIC_URL=http://localhost:8000" in list(table.value["line"])
