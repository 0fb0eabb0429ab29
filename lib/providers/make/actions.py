"""What Make can be asked to do: scenarios and hooks of one team.

https://developers.make.com/api-documentation
"""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from lib.errors import InvalidInput, ProviderError
from lib.providers.actions import Action, ActionCall, ActionInput
from lib.providers.hook_actions import TriggerHook
from lib.providers.make.api import MakeApi
from lib.providers.make.target import MakeHook

# Make itself waits 40 seconds for a scenario before it answers.
_WAIT_SECONDS = 45.0
_FAILED = 3
_ENDINGS = {1: "success", 2: "warning"}
_SCENARIO = ("id", "name", "isActive", "isPaused", "islinked", "lastEdit", "nextExec")
_HOOK = (
    "id", "name", "type", "enabled", "gone", "queueCount", "queueLimit", "scenarioId",
    "scenarioIsActive",
)  # fmt: skip


class ListInput(ActionInput):
    """How many."""

    limit: int = Field(default=50, title="How many", description="1 to 200.", ge=1, le=200)


class ScenarioInput(ActionInput):
    """Which scenario."""

    scenario_id: int = Field(
        title="Scenario id",
        description="The number behind /scenarios/ in the address of the scenario's page.",
        ge=1,
        lt=10**12,
    )


class RunScenarioInput(ScenarioInput):
    """Which scenario, and with what."""

    data: dict[str, Any] = Field(
        default={}, title="Inputs", description="The scenario's inputs as a JSON object."
    )
    wait: bool = Field(
        default=True,
        title="Wait for the end",
        description="Up to 40 seconds, to return its outputs; otherwise it is only started.",
    )


class ListScenarios(Action):
    """Lists the team's scenarios."""

    name = "list_scenarios"
    label = "List scenarios"
    help = "Lists the team's scenarios and whether each is on. Needs scenarios:read."
    effect = "read"
    input = ListInput

    def run(self, given: ListInput, call: ActionCall) -> Any:
        """Return the scenarios."""
        params = {"teamId": _team(call), "pg[limit]": str(given.limit)}
        answer = MakeApi(call).get("scenarios", params, scope="scenarios:read")
        return {"scenarios": _rows(answer.get("scenarios"), _SCENARIO)}


class ListHooks(Action):
    """Lists the team's hooks."""

    name = "list_hooks"
    label = "List hooks"
    help = "Lists the team's hooks, what waits at each, and whether its scenario is on."
    effect = "read"
    input = ListInput

    def run(self, given: ListInput, call: ActionCall) -> Any:
        """Return the hooks without their addresses, which are secrets."""
        answer = MakeApi(call).get("hooks", {"teamId": _team(call)}, scope="hooks:read")
        rows = _rows(answer.get("hooks"), _HOOK)[: given.limit]
        return {"hooks": [{**row, "note": _hook_note(row)} for row in rows]}


class RunScenario(Action):
    """Runs a scenario; running it twice acts twice."""

    name = "run_scenario"
    label = "Run a scenario"
    help = "Runs a scenario that is on, with inputs, and waits for its end. Needs scenarios:run."
    effect = "send"
    input = RunScenarioInput

    def run(self, given: RunScenarioInput, call: ActionCall) -> Any:
        """Return the execution, with its outputs where it was waited for.

        Raises a permanent ProviderError when the scenario ended in an error.
        """
        answer = MakeApi(call).post(
            f"scenarios/{given.scenario_id}/run",
            {"data": given.data, "responsive": given.wait},
            scope="scenarios:run",
            read_seconds=_WAIT_SECONDS if given.wait else None,
        )
        execution, status = answer.get("executionId"), answer.get("status")
        if status == _FAILED:
            raise ProviderError(
                "The scenario ran and ended in an error. Look at its history in Make before you "
                "run it again.",
                permanent=True,
                status=200,
            )
        outcome = _ENDINGS.get(status, "started") if isinstance(status, int) else "started"
        return {"execution_id": execution, "outcome": outcome, "outputs": answer.get("outputs")}


class _Switch(Action):
    effect = "write"
    input = ScenarioInput
    # The last part of the address.
    verb = ""

    def run(self, given: ScenarioInput, call: ActionCall) -> Any:
        """Switch the scenario and return how it is now."""
        path = f"scenarios/{given.scenario_id}/{self.verb}"
        answer = MakeApi(call).post(path, None, scope="scenarios:write")
        found = answer.get("scenario")
        is_active = found.get("isActive") if isinstance(found, dict) else None
        return {"scenario_id": given.scenario_id, "is_active": is_active}


class StartScenario(_Switch):
    """Switches a scenario on."""

    name = "start_scenario"
    label = "Switch a scenario on"
    help = "Lets a scenario run by itself. Needs scenarios:write."
    verb = "start"


class StopScenario(_Switch):
    """Switches a scenario off."""

    name = "stop_scenario"
    label = "Switch a scenario off"
    help = "Stops a scenario; its hook goes on queueing. Needs scenarios:write."
    verb = "stop"


def make_actions(hook: MakeHook) -> tuple[Action, ...]:
    """Return all of them in the order in which screens show them."""
    return (
        TriggerHook(hook),
        RunScenario(),
        StartScenario(),
        StopScenario(),
        ListScenarios(),
        ListHooks(),
    )


def _team(call: ActionCall) -> str:
    team_id = call.values.get("team_id")
    if not team_id:
        raise InvalidInput(
            "The integration has no team id. Enter it in its settings.", field="team_id"
        )
    return team_id


def _rows(found: Any, names: tuple[str, ...]) -> list[dict[str, Any]]:
    listed = found if isinstance(found, list) else []
    return [
        {name: each[name] for name in names if name in each}
        for each in listed
        if isinstance(each, dict)
    ]


def _hook_note(row: Mapping[str, Any]) -> str:
    waiting = row.get("queueCount") or 0
    if row.get("gone"):
        return "The hook is gone: nothing arrives any more."
    if row.get("enabled") is False:
        return "The hook is switched off: it refuses what is sent."
    if row.get("scenarioIsActive") is False:
        return f"{waiting} wait: the scenario is switched off, so they only queue."
    return f"{waiting} wait." if waiting else "Nothing waits."
