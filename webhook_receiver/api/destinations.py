"""The places that events are sent to; addresses and secrets go in and never come out."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, RootModel

from lib.outgoing import destinations
from lib.outgoing.destination_views import DestinationDraft, DestinationView
from lib.providers.registry import all_targets
from lib.providers.targets import RateLimit
from lib.vault.row_secrets import MASK
from webhook_receiver.api.operations import Call, Operation, Reply
from webhook_receiver.api.shapes import Given, Moment, Shown, stamp, stamp_or_none

READ, WRITE = "read:integrations", "write:integrations"


class RateLimitGiven(Given):
    """How many requests may start."""

    per_second: float
    per_five_minutes: int | None = None


class DestinationGiven(Given):
    """A new destination."""

    name: str = Field(description="How you call it.")
    kind: str = Field(
        description="http for any HTTPS endpoint, or a service's own kind.",
        json_schema_extra={"enum": [target.kind for target in all_targets()]},
    )
    url: str = Field(default="", description="The full address; it is sealed.")
    credentials: dict[str, str] = Field(default={}, description="Further values of its kind.")
    integration_id: str = Field(default="", description="For an action: whose it is.")
    action: str = Field(default="", description="For an action: its name.")
    rate_limit: RateLimitGiven | None = Field(
        default=None, description="Left out, the kind's own limit holds."
    )
    concurrency: int | None = Field(default=None, description="How many requests at once.")
    is_active: bool = True


class DestinationChange(Given):
    """What is left out stays; null takes an own limit away."""

    name: str | None = None
    url: str = Field(default="", description="Left out or blank, the address is kept.")
    credentials: dict[str, str] = Field(
        default={}, description="A value that is blank, left out or still masked is kept."
    )
    rate_limit: RateLimitGiven | None = None
    concurrency: int | None = None
    is_active: bool | None = Field(
        default=None, description="true also gives an address that answered 410 another chance."
    )


class RateLimitShown(Shown):
    """How many requests may start."""

    per_second: float
    per_five_minutes: int | None


class DestinationShown(Shown):
    """A destination; `credentials` shows which secrets are set and their last four characters.

    `rate_limit` is what holds: its own, or that of its kind.
    """

    id: str
    name: str
    kind: str
    url_host: str
    credentials: dict[str, str]
    integration_id: str | None
    action: str | None
    rate_limit: RateLimitShown | None
    concurrency: int
    is_active: bool
    status: Literal["active", "paused", "disabled"]
    disabled_reason: str | None
    disabled_at: Moment | None
    created_at: Moment
    updated_at: Moment
    signing_secret: str = Field(
        default="", description="Shown this once: it proves that the hub has sent."
    )


class DestinationList(RootModel[list[DestinationShown]]):
    """Destinations by name."""


def list_destinations(call: Call) -> Reply:
    """Return every destination that the caller may see."""
    found = destinations.list_all(call.hub, call.caller.actor)
    return Reply(DestinationList([_show(item) for item in found]))


def add_destination(call: Call) -> Reply:
    """Store a new destination."""
    given: DestinationGiven = call.body
    draft = DestinationDraft(
        name=given.name,
        url=given.url,
        values=given.credentials,
        rate_limit=_limit(given.rate_limit),
        concurrency=given.concurrency,
        integration_id=given.integration_id,
        action=given.action,
    )
    issued = destinations.add(call.hub, call.caller.actor, kind=given.kind, draft=draft)
    item = issued.destination
    if not given.is_active:
        item = destinations.pause(call.hub, call.caller.actor, item.id)
    secret = issued.signing_secret
    return Reply(_show(item, **({"signing_secret": secret} if secret else {})))


def get_destination(call: Call) -> Reply:
    """Return one destination."""
    return Reply(_show(destinations.get(call.hub, call.caller.actor, call.path["id"])))


def change_destination(call: Call) -> Reply:
    """Change what the body names of a destination."""
    change: DestinationChange = call.body
    hub, actor = call.hub, call.caller.actor
    item = destinations.get(hub, actor, call.path["id"])
    given = change.model_fields_set
    draft = DestinationDraft(
        name=item.name if change.name is None else change.name,
        url=change.url,
        values={
            name: text for name, text in change.credentials.items() if not text.startswith(MASK)
        },
        rate_limit=_limit(change.rate_limit if "rate_limit" in given else item.own_rate),
        concurrency=change.concurrency if "concurrency" in given else item.own_concurrency,
    )
    item = destinations.update(hub, actor, item.id, draft=draft)
    if change.is_active is not None and change.is_active != item.is_active:
        turn = destinations.resume if change.is_active else destinations.pause
        item = turn(hub, actor, item.id)
    if change.is_active and item.disabled_at is not None:
        item = destinations.enable(hub, actor, item.id)
    return Reply(_show(item))


def remove_destination(call: Call) -> Reply:
    """Remove a destination with its routes; what is queued for it is cancelled."""
    item = destinations.get(call.hub, call.caller.actor, call.path["id"])
    destinations.remove(call.hub, call.caller.actor, item.id, typed_name=item.name)
    return Reply()


def _limit(rate: RateLimitGiven | RateLimit | None) -> Mapping[str, Any] | None:
    if rate is None:
        return None
    return {"per_second": rate.per_second, "per_five_minutes": rate.per_five_minutes}


def _show(item: DestinationView, **issued: Any) -> DestinationShown:
    rate = item.limits.rate
    is_disabled = item.disabled_at is not None
    return DestinationShown(
        id=item.id,
        name=item.name,
        kind=item.kind,
        url_host=item.url_host,
        credentials=dict(item.credentials),
        integration_id=item.integration_id,
        action=item.action,
        rate_limit=None
        if rate is None
        else RateLimitShown(per_second=rate.per_second, per_five_minutes=rate.per_five_minutes),
        concurrency=item.limits.concurrency,
        is_active=item.is_active,
        status="disabled" if is_disabled else "active" if item.is_active else "paused",
        disabled_reason=item.disabled_reason,
        disabled_at=stamp_or_none(item.disabled_at),
        created_at=stamp(item.created_at),
        updated_at=stamp(item.updated_at),
        **issued,
    )


OPERATIONS = (
    Operation(
        "GET",
        "/api/destinations",
        scope=READ,
        summary="List destinations",
        handler=list_destinations,
        answer=DestinationList,
    ),
    Operation(
        "POST",
        "/api/destinations",
        scope=WRITE,
        summary="Add a destination",
        handler=add_destination,
        answer=DestinationShown,
        status=201,
        body=DestinationGiven,
        creates=True,
    ),
    Operation(
        "GET",
        "/api/destinations/{id}",
        scope=READ,
        summary="Show a destination",
        handler=get_destination,
        answer=DestinationShown,
    ),
    Operation(
        "PUT",
        "/api/destinations/{id}",
        scope=WRITE,
        summary="Change a destination",
        handler=change_destination,
        answer=DestinationShown,
        body=DestinationChange,
    ),
    Operation(
        "DELETE",
        "/api/destinations/{id}",
        scope=WRITE,
        summary="Remove a destination with its routes and its queue",
        handler=remove_destination,
        status=204,
    ),
)
