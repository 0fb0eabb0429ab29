"""REST hooks: a caller subscribes an address to events and ends it again, as Zaps do.

A subscription is a destination with a route from each integration that it is about; one
for all integrations also takes those that are added later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlmodel import col, select

from lib.access import Actor, require_writer
from lib.clock import now
from lib.connections import integrations
from lib.errors import HubError, InvalidInput, NotFound, ProviderError
from lib.http import VendorClient
from lib.hub import Hub
from lib.models import Destination, IntegrationConfig
from lib.outgoing import destinations, routes
from lib.outgoing.destination_rows import owned_row
from lib.outgoing.destination_secrets import check_address, open_secrets
from lib.outgoing.destination_views import DestinationDraft, DestinationView
from lib.outgoing.filters import parse_filters, stored_filters
from lib.outgoing.routes import RouteDraft
from lib.providers.registry import subscription_targets
from lib.providers.targets import Target

log = structlog.get_logger()

_MOST_EVENT = 200
_NAME_LENGTH = 80


@dataclass(frozen=True, repr=False)
class SubscriptionDraft:
    """What a caller gives; no integration means all of the caller's own."""

    target_url: str
    event: str = routes.ALL_TYPES
    filters: Sequence[Any] = ()
    integration_id: str | None = None


@dataclass(frozen=True, repr=False)
class Subscription:
    """A new subscription; `signing_secret` is shown this once."""

    id: str
    event: str
    integration_ids: tuple[str, ...]
    signing_secret: str
    created_at: datetime


def subscribe(hub: Hub, actor: Actor, draft: SubscriptionDraft) -> Subscription:
    """Send the events that `draft` names to its address from now on.

    Raises InvalidInput naming the field, NotFound for another's integration.
    """
    require_writer(actor)
    event = draft.event.strip()
    if not 1 <= len(event) <= _MOST_EVENT:
        raise InvalidInput(
            f'Give an event type of 1 to {_MOST_EVENT} characters, or "*" for all.', field="event"
        )
    target = _target_of(hub, draft.target_url.strip())
    filters = stored_filters(parse_filters(list(draft.filters)))
    if draft.integration_id is not None:
        _check_own(hub, actor, draft.integration_id)
    kept = {"event": event, "filters": filters, "integration_id": draft.integration_id}
    name = f"{target.label}: {event}"[:_NAME_LENGTH]
    issued = destinations.add(
        hub,
        actor,
        kind=target.kind,
        draft=DestinationDraft(name=name, url=draft.target_url, subscription=kept),
    )
    place = issued.destination
    # Read only now: one that is added meanwhile is in this list, or follows by itself, or both.
    integration_ids = _integration_ids(hub, actor, draft.integration_id)
    try:
        for integration_id in integration_ids:
            _add_route(hub, actor, integration_id, place.id, kept)
    except HubError:
        destinations.remove(hub, actor, place.id, typed_name=place.name)
        raise
    return Subscription(
        place.id, event, integration_ids, issued.signing_secret or "", place.created_at
    )


def unsubscribe(hub: Hub, actor: Actor, subscription_id: str) -> DestinationView:
    """End a subscription with its routes and what is queued; raise NotFound if there is none."""
    require_writer(actor)
    with hub.database.read() as session:
        row = session.get(Destination, subscription_id)
        is_one = row is not None and "subscription" in row.config_data
    place = destinations.get(hub, actor, subscription_id)
    if not is_one:
        raise NotFound("There is no such subscription. It may have ended already.")
    destinations.remove(hub, actor, subscription_id, typed_name=place.name)
    return place


def withdraw(hub: Hub, actor: Actor, destination_id: str, *, typed_name: str) -> int:
    """Remove any destination, and tell a subscriber that its hook will hear nothing more.

    The subscriber is told by DELETE at the hook, which pauses the Zap behind it; one that does
    not listen changes nothing. Returns and raises as `destinations.remove` does.
    https://docs.zapier.com/platform/build/hook-trigger
    """
    with hub.database.read() as session:
        row, _ = owned_row(session, actor, destination_id)
    is_one = "subscription" in row.config_data
    url = open_secrets(hub.vault, row, now()).url if is_one else None
    cancelled = destinations.remove(hub, actor, destination_id, typed_name=typed_name)
    if url is not None:
        _tell_subscriber(hub, url)
    return cancelled


def _tell_subscriber(hub: Hub, url: str) -> None:
    networks = hub.settings.allowed_private_networks
    with VendorClient(networks) as client:
        try:
            client.request("DELETE", url, secret_path=True)
        except ProviderError as error:
            log.info("subscriber_not_told", why=error.message)


def follow(hub: Hub, actor: Actor, integration_id: str) -> int:
    """Route a new integration to its owner's subscriptions for all; return how many there are."""
    query = select(Destination).where(
        col(Destination.user_id) == actor.id, col(Destination.deleted_at).is_(None)
    )
    with hub.database.read() as session:
        kept = [(row.id, row.config_data.get("subscription")) for row in session.exec(query)]
    taking = [(row_id, asked) for row_id, asked in kept if asked and not asked["integration_id"]]
    for row_id, asked in taking:
        try:
            _add_route(hub, actor, integration_id, row_id, asked)
        except HubError as error:
            # One that ends at this moment must not undo that the integration was added.
            log.warning("subscription_not_followed", destination=row_id, why=error.message)
    return len(taking)


def _add_route(
    hub: Hub, actor: Actor, integration_id: str, destination_id: str, asked: dict[str, Any]
) -> None:
    draft = RouteDraft(
        integration_id=integration_id,
        destination_id=destination_id,
        event_types=[asked["event"]],
        filters=asked["filters"],
    )
    routes.add_once(hub, actor, draft)


def _target_of(hub: Hub, url: str) -> Target:
    """Return the first kind that takes the address; raise InvalidInput of the last one."""
    refusal = InvalidInput("No service here takes subscriptions. Ask staff.", field="target_url")
    for target in subscription_targets():
        try:
            check_address(url, target, hub.settings)
        except InvalidInput as error:
            refusal = InvalidInput(error.message, field="target_url")
        else:
            return target
    raise refusal


def _check_own(hub: Hub, actor: Actor, integration_id: str) -> None:
    if integrations.get(hub, actor, integration_id).user_id != actor.id:
        raise NotFound("There is no such integration of yours. Name one of your own.")


def _integration_ids(hub: Hub, actor: Actor, named: str | None) -> tuple[str, ...]:
    if named is not None:
        return (named,)
    query = select(IntegrationConfig.id).where(
        col(IntegrationConfig.user_id) == actor.id, col(IntegrationConfig.deleted_at).is_(None)
    )
    with hub.database.read() as session:
        return tuple(session.exec(query.order_by(col(IntegrationConfig.id))))
