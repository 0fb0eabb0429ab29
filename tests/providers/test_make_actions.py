"""Make's actions against the fake."""

from collections.abc import Iterator
from typing import Any

import pytest

from lib import http
from lib.errors import InvalidInput, ProviderError
from tests.acting import Vendors, act, vendors
from tests.fakes import make

VALUES = {"api_token": make.API_TOKEN, "team_id": make.TEAM_ID, "zone": "eu1"}


@pytest.fixture
def found() -> Iterator[Vendors]:
    with vendors("make") as found:
        yield found


def ask(found: Vendors, name: str, values: dict[str, str] | None = None, **given: Any) -> Any:
    merged = {**VALUES, **(values or {})}
    result, calls = act(found, "make", name, merged, **given)
    assert "hush" not in repr((result, calls))
    assert make.API_TOKEN not in repr((result, calls))
    return result


def hook(found: Vendors, name: str) -> dict[str, str]:
    return {"hook_url": f"{found.urls['make']}/hook/{name}"}


def test_a_hook_is_triggered_with_its_key(found: Vendors) -> None:
    values = {**hook(found, "keyed"), "hook_api_key": make.HOOK_API_KEY}
    result, calls = act(found, "make", "trigger_hook", values, data={"a": 1})
    assert found.apps["make"].state.sent == [{"a": 1}]
    assert (result["outcome"], result["answer"]) == ("accepted", "Accepted")
    assert "queue" in result["note"]
    assert [call.path for call in calls] == ["/•••"]


@pytest.mark.parametrize(
    ("name", "permanent", "is_unprocessed"),
    [
        ("full", False, True),
        ("busy", False, True),
        ("gone", True, True),
        ("unlinked", True, True),
        ("keyed", True, True),
        ("failing", True, False),
        ("MAGIC500", False, False),
    ],
)
def test_a_hook_that_refuses_says_whether_it_may_be_repeated(
    found: Vendors, name: str, permanent: bool, is_unprocessed: bool
) -> None:
    with pytest.raises(ProviderError) as caught:
        act(found, "make", "trigger_hook", hook(found, name), data={})
    assert (caught.value.permanent, caught.value.is_unprocessed) == (permanent, is_unprocessed)


def test_a_hook_needs_its_address(found: Vendors) -> None:
    with pytest.raises(InvalidInput, match="hook URL"):
        ask(found, "trigger_hook", data={})


def test_scenarios_and_hooks_are_listed_truthfully(found: Vendors) -> None:
    assert ask(found, "list_scenarios")["scenarios"] == [
        {"id": 7, "name": "Orders", "isActive": True}
    ]
    first, second, third = ask(found, "list_hooks")["hooks"]
    assert (first["queueCount"], first["scenarioIsActive"]) == (12, False)
    assert first["note"] == "12 wait: the scenario is switched off, so they only queue."
    assert "gone" in second["note"]
    assert "refuses" in third["note"]
    assert len(ask(found, "list_hooks", limit=1)["hooks"]) == 1


def test_a_scenario_is_run_to_its_end(found: Vendors) -> None:
    result = ask(found, "run_scenario", scenario_id=7, data={"name": "Ada"})
    assert result == {
        "execution_id": "0f8fad5bd9cb469fa165",
        "outcome": "success",
        "outputs": {},
    }
    assert ask(found, "run_scenario", scenario_id=7, wait=False)["outcome"] == "started"
    assert found.apps["make"].state.runs == [
        {"data": {"name": "Ada"}, "responsive": True},
        {"data": {}, "responsive": False},
    ]


def test_a_scenario_that_ended_in_an_error_is_not_run_again(found: Vendors) -> None:
    with pytest.raises(ProviderError, match="ended in an error") as caught:
        ask(found, "run_scenario", scenario_id=int(make.FAILING_SCENARIO))
    assert (caught.value.permanent, caught.value.is_unprocessed) == (True, False)


def test_waiting_for_a_scenario_outlasts_other_calls(
    found: Vendors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "READ_SECONDS", 0.3)
    slow = {"api_token": "MAGICSLOW"}
    with pytest.raises(ProviderError) as caught:
        ask(found, "list_scenarios", slow)
    assert caught.value.status is None
    with pytest.raises(ProviderError) as caught:
        ask(found, "run_scenario", slow, scenario_id=7)
    assert caught.value.status == 401


def test_a_scenario_is_switched(found: Vendors) -> None:
    assert ask(found, "start_scenario", scenario_id=7) == {"scenario_id": 7, "is_active": True}
    assert ask(found, "stop_scenario", scenario_id=7) == {"scenario_id": 7, "is_active": False}


@pytest.mark.parametrize(
    ("token", "words", "permanent", "is_unprocessed"),
    [
        ("wrong", "refused the API token", True, False),
        (make.BUSY_TOKEN, "no more requests", False, True),
        (make.STRICT_TOKEN, "SC400.*Validation failed", True, False),
        ("MAGIC429", "no more requests", False, True),
        ("MAGIC500", "fault on its side", False, False),
        ("MAGICBROKEN", "not JSON", False, False),
    ],
)
def test_refusals_say_what_to_do(
    found: Vendors, token: str, words: str, permanent: bool, is_unprocessed: bool
) -> None:
    with pytest.raises(ProviderError, match=words) as caught:
        ask(found, "run_scenario", {"api_token": token}, scenario_id=7)
    assert (caught.value.permanent, caught.value.is_unprocessed) == (permanent, is_unprocessed)
    assert token not in caught.value.message


def test_the_zone_trap_names_scope_and_zone(found: Vendors) -> None:
    with pytest.raises(ProviderError, match=r"scenarios:run.*another zone than eu1"):
        ask(found, "run_scenario", scenario_id=int(make.STRANGE_SCENARIO))
    with pytest.raises(ProviderError, match=r"scenarios:read.*another zone"):
        ask(found, "list_scenarios", {"team_id": "2"})


@pytest.mark.parametrize(("missing", "field"), [("api_token", "api_token"), ("team_id", "team_id")])
def test_a_missing_setting_is_named(found: Vendors, missing: str, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        ask(found, "list_scenarios", {missing: ""})
    assert caught.value.field == field
