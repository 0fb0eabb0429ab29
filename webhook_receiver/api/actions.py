"""What the services of connections can be asked to do, and doing it."""

from typing import Any, Literal

from pydantic import ConfigDict, Field, RootModel

from lib.ids import new_id
from lib.providers.registry import all_providers
from lib.vendors import actions
from webhook_receiver.api.operations import Call, Operation, Reply
from webhook_receiver.api.shapes import Shown


class ActionShown(Shown):
    """Something a service can do; `input_schema` is the JSON Schema of what it is given."""

    id: str = Field(description="The action's name, the last part of its address.")
    name: str = Field(description="How people call it.")
    help: str
    effect: Literal["read", "write", "send"] = Field(
        description="read changes nothing, write may be repeated, send reaches a person."
    )
    input_schema: dict[str, Any]


class ActionList(RootModel[list[ActionShown]]):
    """The actions of one connection."""


class ActionGiven(RootModel[dict[str, Any]]):
    """The action's own fields; `input_schema` of its entry in the list says which."""

    model_config = ConfigDict(strict=True, hide_input_in_errors=True)


class ActionAnswer(RootModel[dict[str, Any] | list[Any]]):
    """What the service answered: one object with an id, or of a search a list, best first."""


def list_actions(call: Call) -> Reply:
    """Return what a connection's service can do."""
    found = actions.list_actions(call.hub, call.caller.actor, call.path["id"])
    return Reply(
        ActionList(
            [
                ActionShown(
                    id=item.name,
                    name=item.label,
                    help=item.help,
                    effect=item.effect,
                    input_schema=dict(item.schema),
                )
                for item in found
            ]
        )
    )


def run_action(call: Call) -> Reply:
    """Do one thing at the service."""
    outcome = actions.run_action(
        call.hub,
        call.caller.actor,
        call.path["id"],
        name=call.path["action"],
        given=call.body.root,
    )
    result = outcome.result
    if isinstance(result, list):
        return Reply(ActionAnswer(result))
    fields = result if isinstance(result, dict) else {"result": result}
    # Zapier takes an answer by its id, and not every service gives one.
    identity = fields.get("id") or fields.get("sid") or new_id("act")
    return Reply(ActionAnswer({**fields, "id": identity}))


def _may_repeat(call: Call) -> bool:
    return not actions.reaches_person(call.path["action"])


OPERATIONS = (
    Operation(
        "GET",
        "/api/integrations/{id}/actions",
        scope="actions",
        summary="List what an integration's service can do",
        handler=list_actions,
        answer=ActionList,
    ),
    Operation(
        "POST",
        "/api/integrations/{id}/actions/{action}",
        scope="actions",
        summary="Do something at an integration's service",
        handler=run_action,
        answer=ActionAnswer,
        body=ActionGiven,
        bodies={
            f"`{action.name}` of {provider.label}": action.input
            for provider in all_providers()
            for action in provider.actions
        },
        creates=True,
        calls_vendor=True,
        raises=(502,),
        may_repeat=_may_repeat,
        note=(
            "The body holds the action's own fields, as GET /api/integrations/{id}/actions lists "
            "them in `input_schema`. A search that finds nothing answers 200 with []."
        ),
    ),
)
