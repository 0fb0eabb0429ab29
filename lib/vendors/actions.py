"""Doing things at vendors for a member: validated, logged, and never repeated by itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib import audit
from lib.access import Actor
from lib.connections.integrations import owned_row
from lib.errors import OutcomeUnknown, ProviderError
from lib.hub import Hub
from lib.providers.actions import Action, Effect
from lib.providers.registry import all_providers, get_provider
from lib.vendors.action_runs import ActionOutcome as ActionOutcome
from lib.vendors.action_runs import (
    check_input,
    check_usable,
    explain_unsure,
    find_action,
    is_unsure,
    timed,
)


@dataclass(frozen=True)
class ActionView:
    """An action as screens and the API show it; `schema` is the JSON Schema of its input."""

    name: str
    label: str
    help: str
    effect: Effect
    schema: Mapping[str, Any]


def list_actions(hub: Hub, actor: Actor, integration_id: str) -> list[ActionView]:
    """Return what the vendor of an own integration can be asked to do; raise NotFound."""
    with hub.database.read() as session:
        row = owned_row(session, actor, integration_id)
    return [_view(action) for action in get_provider(row.service_name).actions]


def run_action(
    hub: Hub, actor: Actor, integration_id: str, *, name: str, given: Mapping[str, Any]
) -> ActionOutcome:
    """Validate `given`, do it once and log each call to the vendor.

    Raises NotFound for another's integration or an unknown action, InvalidInput naming the
    first bad field or a paused integration, ProviderError as the vendor answered, and
    OutcomeUnknown when nobody knows whether it reached a person.
    """
    with hub.database.read() as session:
        row = owned_row(session, actor, integration_id)
    action = find_action(row.service_name, name)
    checked = check_input(action, given)
    check_usable(row, action)
    if action.effect != "read":
        # Before it is done: what cannot be put on record is not sent.
        with hub.database.write() as session:
            audit.record(
                session, actor, "integration.acted", row.id, name=row.name, asked=action.name
            )
    try:
        return timed(hub, row, action, given=checked)
    except ProviderError as error:
        if is_unsure(action, error):
            raise OutcomeUnknown(explain_unsure(error)) from error
        raise


def reaches_person(name: str) -> bool:
    """Tell whether an action of this name reaches a person at any service."""
    return any(
        action.name == name and action.effect == "send"
        for provider in all_providers()
        for action in provider.actions
    )


def _view(action: Action) -> ActionView:
    return ActionView(
        action.name, action.label, action.help, action.effect, action.input.model_json_schema()
    )
