"""Doing things at vendors for a member: validated, logged, and never repeated by itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.access import Actor
from lib.hub import Hub
from lib.providers.actions import Effect


@dataclass(frozen=True)
class ActionView:
    """An action as screens and the API show it; `schema` is the JSON Schema of its input."""

    name: str
    label: str
    help: str
    effect: Effect
    schema: Mapping[str, Any]


@dataclass(frozen=True)
class ActionOutcome:
    """What an action returned, as JSON values, and how long the vendor took in milliseconds."""

    result: Any
    milliseconds: int


def list_actions(hub: Hub, actor: Actor, integration_id: str) -> list[ActionView]:
    """Return what the vendor of an own integration can be asked to do; raise NotFound."""
    raise NotImplementedError


def run_action(
    hub: Hub, actor: Actor, integration_id: str, *, name: str, given: Mapping[str, Any]
) -> ActionOutcome:
    """Validate `given`, do it once and log each call to the vendor.

    Raises NotFound for another's integration or an unknown action, InvalidInput naming the
    first bad field, and ProviderError as the vendor answered.
    """
    raise NotImplementedError
