"""The connections of members; secrets go in, and only their last four characters come out."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, RootModel

from lib.connections import checks, integrations
from lib.connections.integrations import Integration
from lib.errors import InvalidInput
from lib.providers.registry import all_providers
from lib.vault.row_secrets import MASK
from webhook_receiver.api.operations import Call, Operation, Reply
from webhook_receiver.api.shapes import Given, Moment, Shown, stamp, stamp_or_none

READ, WRITE = "read:integrations", "write:integrations"


class IntegrationGiven(Given):
    """A new connection; which fields it takes depends on the service."""

    service_name: str = Field(
        description="The service's short name.",
        json_schema_extra={"enum": [provider.slug for provider in all_providers()]},
    )
    name: str = Field(description="How you call it.")
    config_data: dict[str, str] = Field(default={}, description="Values that may be shown.")
    credentials: dict[str, str] = Field(default={}, description="Secrets; they are sealed.")
    is_active: bool = Field(default=True, description="Whether its events are routed.")


class IntegrationChange(Given):
    """What is left out stays; `config_data` is replaced as a whole, secrets one by one."""

    name: str | None = None
    config_data: dict[str, str] | None = None
    credentials: dict[str, str] = Field(
        default={}, description="A secret that is blank, left out or still masked is kept."
    )
    is_active: bool | None = None


class IntegrationShown(Shown):
    """A connection; `credentials` shows which secrets are set and their last four characters."""

    id: str
    service_name: str
    name: str
    config_data: dict[str, str]
    credentials: dict[str, str]
    webhook_url: str
    is_active: bool
    status: str
    status_message: str
    checked_at: Moment | None
    created_at: Moment
    updated_at: Moment
    inbound_secret: str = Field(
        default="", description="Shown this once, where the hub issued one: send it along."
    )


class IntegrationList(RootModel[list[IntegrationShown]]):
    """Connections by name."""


class CheckShown(Shown):
    """What a test found out: verified, accepted (nothing can prove it) or failed."""

    outcome: str
    message: str
    checked_at: Moment


def list_integrations(call: Call) -> Reply:
    """Return every connection that the caller may see."""
    found = integrations.list_all(call.hub, call.caller.actor)
    return Reply(IntegrationList([_show(item) for item in found]))


def add_integration(call: Call) -> Reply:
    """Store a new connection."""
    given: IntegrationGiven = call.body
    issued = integrations.add(
        call.hub,
        call.caller.actor,
        service_name=given.service_name,
        name=given.name,
        values=_join(given.config_data, given.credentials),
    )
    item = issued.integration
    if not given.is_active:
        item = integrations.pause(call.hub, call.caller.actor, item.id)
    secret = issued.inbound_secret
    return Reply(_show(item, **({"inbound_secret": secret} if secret else {})))


def get_integration(call: Call) -> Reply:
    """Return one connection."""
    return Reply(_show(integrations.get(call.hub, call.caller.actor, call.path["id"])))


def change_integration(call: Call) -> Reply:
    """Change what the body names of a connection."""
    change: IntegrationChange = call.body
    hub, actor = call.hub, call.caller.actor
    item = integrations.get(hub, actor, call.path["id"])
    config = item.config_data if change.config_data is None else change.config_data
    entered = {name: text for name, text in change.credentials.items() if not text.startswith(MASK)}
    item = integrations.update(
        hub,
        actor,
        item.id,
        name=item.name if change.name is None else change.name,
        values=_join(config, entered),
    )
    if change.is_active is not None and change.is_active != item.is_active:
        turn = integrations.resume if change.is_active else integrations.pause
        item = turn(hub, actor, item.id)
    return Reply(_show(item))


def remove_integration(call: Call) -> Reply:
    """Remove a connection; its events stay."""
    item = integrations.get(call.hub, call.caller.actor, call.path["id"])
    integrations.remove(call.hub, call.caller.actor, item.id, typed_name=item.name)
    return Reply()


def test_integration(call: Call) -> Reply:
    """Ask the vendor whether a connection works."""
    check = checks.run_check(call.hub, call.caller.actor, call.path["id"])
    return Reply(
        CheckShown(outcome=check.outcome, message=check.message, checked_at=stamp(check.checked_at))
    )


def _join(config: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, str]:
    both = sorted(config.keys() & secrets.keys())
    if both:
        raise InvalidInput(
            f"{both[0][:40]} stands in config_data and in credentials. Give it once.",
            field=both[0],
        )
    return {**config, **secrets}


def _show(item: Integration, **issued: Any) -> IntegrationShown:
    return IntegrationShown(
        id=item.id,
        service_name=item.service_name,
        name=item.name,
        config_data=dict(item.config_data),
        credentials=dict(item.credentials),
        webhook_url=item.webhook_url,
        is_active=item.is_active,
        status=item.status,
        status_message=item.status_message,
        checked_at=stamp_or_none(item.checked_at),
        created_at=stamp(item.created_at),
        updated_at=stamp(item.updated_at),
        **issued,
    )


OPERATIONS = (
    Operation(
        "GET",
        "/api/integrations",
        scope=READ,
        summary="List integrations",
        handler=list_integrations,
        answer=IntegrationList,
    ),
    Operation(
        "POST",
        "/api/integrations",
        scope=WRITE,
        summary="Add an integration",
        handler=add_integration,
        answer=IntegrationShown,
        status=201,
        body=IntegrationGiven,
        creates=True,
    ),
    Operation(
        "GET",
        "/api/integrations/{id}",
        scope=READ,
        summary="Show an integration",
        handler=get_integration,
        answer=IntegrationShown,
    ),
    Operation(
        "PUT",
        "/api/integrations/{id}",
        scope=WRITE,
        summary="Change an integration",
        handler=change_integration,
        answer=IntegrationShown,
        body=IntegrationChange,
    ),
    Operation(
        "DELETE",
        "/api/integrations/{id}",
        scope=WRITE,
        summary="Remove an integration; its events stay",
        handler=remove_integration,
        status=204,
    ),
    Operation(
        "POST",
        "/api/test-integration/{id}",
        scope=WRITE,
        summary="Test an integration at its service",
        handler=test_integration,
        answer=CheckShown,
        calls_vendor=True,
    ),
)
