"""Destinations that are an integration's action: which one, whose, and what it would repeat."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, col, select

from lib.access import Actor
from lib.connections import integrations
from lib.errors import InvalidInput, NotFound
from lib.models import Destination, IntegrationConfig
from lib.outgoing.destination_views import DestinationDraft
from lib.providers.actions import Action
from lib.providers.registry import all_targets, get_provider
from lib.vendors.action_runs import check_input, find_action

INTEGRATION_ID, ACTION = "integration_id", "action"


def bind_action(
    session: Session, actor: Actor, row: Destination, draft: DestinationDraft
) -> list[str]:
    """Put the chosen integration and action into a row; return the names of what changed.

    What is blank stays as it is stored. Raises InvalidInput naming the field, and NotFound for
    an integration that is not the actor's to use.
    """
    stored = _stored(row.config_data)
    chosen = {
        INTEGRATION_ID: draft.integration_id or stored.get(INTEGRATION_ID, ""),
        ACTION: draft.action or stored.get(ACTION, ""),
    }
    if not chosen[INTEGRATION_ID]:
        raise InvalidInput("Choose the integration that acts.", field=INTEGRATION_ID)
    integration = integrations.owned_row(session, actor, chosen[INTEGRATION_ID])
    if stored and integration.user_id != row.user_id:
        raise InvalidInput(
            "This integration belongs to another member. Choose one of the destination's owner.",
            field=INTEGRATION_ID,
        )
    action = _chosen_action(integration, chosen[ACTION])
    row.user_id = integration.user_id
    row.config_data = {**row.config_data, **chosen}
    row.url_host = f"{get_provider(integration.service_name).label}: {action.label}"
    return sorted(name for name in chosen if chosen[name] != stored.get(name))


def rebind_action(
    session: Session,
    actor: Actor,
    row: Destination,
    draft: DestinationDraft,
    *,
    limits: Mapping[str, Any],
) -> list[str]:
    """Put new limits and what was chosen anew into a row; return the names of what changed."""
    row.config_data = {**limits, **_stored(row.config_data)}
    return bind_action(session, actor, row, draft)


def require_address(row: Destination) -> None:
    """Raise InvalidInput for an action: it has neither an address nor a signing secret."""
    if row.kind in action_kinds():
        raise InvalidInput(
            "An action has no address and no signing secret. Its integration holds the "
            "credentials.",
            field="kind",
        )


def bound_integration(session: Session, row: Destination) -> IntegrationConfig:
    """Return the integration that a destination acts through; raise NotFound once it is gone."""
    found = session.get(IntegrationConfig, row.config_data.get(INTEGRATION_ID, ""))
    if found is None or found.deleted_at is not None or found.user_id != row.user_id:
        raise NotFound(
            "The integration that acts was removed. Choose another in the destination's settings."
        )
    return found


def check_as_input(session: Session, destination_id: str, result: Any, *, owner_id: str) -> None:
    """Raise InvalidInput or NotFound if a destination is an action that cannot take `result`."""
    row = session.get(Destination, destination_id) if destination_id else None
    if row is None or row.user_id != owner_id or row.kind not in action_kinds():
        return
    integration = bound_integration(session, row)
    check_input(find_action(integration.service_name, row.config_data.get(ACTION, "")), result)


def reaches_people(session: Session, row: Destination) -> bool:
    """Tell whether repeating what a destination does could reach a person twice.

    A removed integration keeps its row, so this is known of it too; what is not known might.
    """
    query = select(col(IntegrationConfig.service_name)).where(
        col(IntegrationConfig.id) == row.config_data.get(INTEGRATION_ID)
    )
    service_name = session.exec(query).first()
    try:
        return find_action(service_name or "", row.config_data.get(ACTION, "")).effect == "send"
    except (InvalidInput, NotFound):
        return True


def action_kinds() -> list[str]:
    """Return the kinds of destination that act through an integration."""
    return [target.kind for target in all_targets() if not target.has_address]


def _stored(config: Mapping[str, Any]) -> dict[str, str]:
    return {name: config[name] for name in (INTEGRATION_ID, ACTION) if name in config}


def _chosen_action(integration: IntegrationConfig, name: str) -> Action:
    if not name:
        raise InvalidInput("Choose what the integration should do.", field=ACTION)
    try:
        return find_action(integration.service_name, name)
    except NotFound as error:
        raise InvalidInput(error.message, field=ACTION) from error
