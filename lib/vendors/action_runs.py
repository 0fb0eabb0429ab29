"""One run of an action: the input is checked, the vendor is asked once, each call is on record.

People, callers of the API and the worker all come this way; who may do so is asked before.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from lib.errors import InvalidInput, NotFound, ProviderError
from lib.http import VendorClient
from lib.hub import Hub
from lib.models import IntegrationConfig
from lib.providers.actions import Action, ActionCall, ActionInput
from lib.providers.registry import get_provider
from lib.vendors.api_calls import keep_calls
from lib.vendors.budgets import open_client
from lib.vendors.oauth_tokens import open_call_values

log = structlog.get_logger()

MAYBE_DONE = (
    "It may have been done, so it is not repeated. Look at the service before you send it again."
)
_SHOWN_NAME = 40


@dataclass(frozen=True)
class ActionOutcome:
    """What an action returned, as JSON values, and how long the vendor took in milliseconds."""

    result: Any
    milliseconds: int


def find_action(service_name: str, name: str) -> Action:
    """Return what a service calls `name`; raise NotFound."""
    for action in get_provider(service_name).actions:
        if action.name == name:
            return action
    raise NotFound("There is no such action. Choose one of those that the integration offers.")


def check_input(action: Action, given: Any) -> ActionInput:
    """Return the checked input; raise InvalidInput naming the first bad field, not its value."""
    if not isinstance(given, Mapping):
        raise InvalidInput("Give the action's fields as one JSON object.", field="input")
    try:
        return action.input.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    raise _explain(action.input, first)


def check_usable(row: IntegrationConfig, action: Action) -> None:
    """Raise InvalidInput when a paused connection is asked to do more than read."""
    if not row.is_active and action.effect != "read":
        raise InvalidInput(
            "The integration is paused, so it changes and sends nothing. Resume it first.",
            field="integration_id",
        )


def is_unsure(action: Action, error: ProviderError) -> bool:
    """Tell whether what reaches a person may have been done all the same; see Effect."""
    return action.effect == "send" and not error.permanent and not error.is_unprocessed


def explain_unsure(error: ProviderError) -> str:
    """Say what went wrong and that it may be done, without the vendor's advice to try again."""
    said = error.message.partition(". ")[0].rstrip(".")
    return f"{said}. {MAYBE_DONE}"


def perform(hub: Hub, row: IntegrationConfig, action: Action, *, given: ActionInput) -> Any:
    """Do it once and return the vendor's answer; raise ProviderError as the vendor answered.

    It takes as long as the vendor does, so it is called outside any transaction, in a thread.
    """
    values = open_call_values(hub, row)
    with open_client(hub, row) as client:
        call = ActionCall(values, hub.settings, client, row.webhook_url)
        try:
            return action.run(given, call)
        finally:
            _keep(hub, row, client)


def timed(hub: Hub, row: IntegrationConfig, action: Action, *, given: ActionInput) -> ActionOutcome:
    """Perform it and say how long it took."""
    begun = time.monotonic()
    result = perform(hub, row, action, given=given)
    return ActionOutcome(result, round((time.monotonic() - begun) * 1000))


def _keep(hub: Hub, row: IntegrationConfig, client: VendorClient) -> None:
    """Put the calls on record; a database that is away does not undo what the vendor did."""
    try:
        with hub.database.write() as session:
            keep_calls(session, row, client.calls)
    except SQLAlchemyError as error:
        log.warning("calls_not_kept", integration=row.id, why=type(error).__name__)


def _explain(model: type[ActionInput], first: Any) -> InvalidInput:
    path = [str(part)[:_SHOWN_NAME] for part in first["loc"]]
    name = path[0] if path else ""
    if first["type"] == "extra_forbidden" and len(path) == 1:
        known = ", ".join(model.model_fields)
        return InvalidInput(f"There is no field {name}. Use one of: {known}.", field=name)
    known_field = model.model_fields.get(name)
    label = (known_field.title if known_field else None) or name or "The input"
    if first["type"] == "missing":
        return InvalidInput(f"{label} is missing. Enter it.", field=".".join(path))
    reason = first["msg"].removeprefix("Value error, ").rstrip(".")
    return InvalidInput(f"{label} is not right. {reason}.", field=".".join(path))
