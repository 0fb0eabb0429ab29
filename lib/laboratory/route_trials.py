"""A saved route on a saved event: taken or not and why, and the request as it would go out.

Nothing is sent and nothing is stored.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.access import Actor
from lib.clock import now
from lib.errors import InvalidInput
from lib.hub import Hub
from lib.log import REDACTED, redact_headers
from lib.outgoing import destinations, routes
from lib.outgoing.attempt import Job, render_body, sent_headers
from lib.outgoing.destination_rows import owned_row
from lib.outgoing.destination_secrets import open_secrets
from lib.outgoing.filters import matches, parse_filters, takes_type
from lib.outgoing.rehearsals import Preview, preview
from lib.outgoing.routes import RouteDraft, RouteView
from lib.providers.registry import get_target

_SIGNATURE = re.compile(r"(?<=v1,)[A-Za-z0-9+/=]+")


@dataclass(frozen=True)
class Condition:
    """One condition of a route in words, and whether the event meets it."""

    text: str
    is_met: bool


@dataclass(frozen=True, repr=False)
class RouteTrial:
    """What would become of an event: `body` is None where `error` says why."""

    route: RouteView
    preview: Preview
    conditions: tuple[Condition, ...]
    headers: Mapping[str, str]
    body: str | None
    error: str | None

    @property
    def is_taken(self) -> bool:
        """Whether a delivery would be made: all conditions, and nothing is paused."""
        return all(condition.is_met for condition in self.conditions)


def try_route(hub: Hub, actor: Actor, route_id: str, event_id: str) -> RouteTrial:
    """Return what the route would do with the event; raise NotFound or NotAllowed."""
    route = routes.get(hub, actor, route_id)
    draft = RouteDraft(
        integration_id=route.integration_id,
        destination_id=route.destination_id,
        event_types=route.event_types,
        filters=route.filters,
        mapping=route.mapping,
    )
    shown = preview(hub, actor, draft, event_id=event_id)
    if shown is None:
        raise InvalidInput("There is no event to try. Choose another.", field="event_id")
    conditions = tuple(_conditions(route, shown.envelope))
    body, headers, error = _render(hub, actor, route, shown)
    return RouteTrial(route, shown, conditions, headers, body, error)


def _conditions(route: RouteView, envelope: dict[str, Any]) -> list[Condition]:
    event_type = envelope["type"]
    names = "every type" if "*" in route.event_types else ", ".join(route.event_types)
    found = [
        Condition("the route is switched on", route.is_active),
        Condition(
            f"type {event_type} is one of: {names}", takes_type(route.event_types, event_type)
        ),
    ]
    for row in parse_filters(route.filters):
        value = "" if row.value is None else f" {row.value}"
        text = f"{row.path} {row.operator.replace('_', ' ')}{value}"
        found.append(Condition(text, matches((row,), envelope)))
    return found


def _render(
    hub: Hub, actor: Actor, route: RouteView, shown: Preview
) -> tuple[str | None, Mapping[str, str], str | None]:
    if shown.error is not None:
        return None, {}, shown.error
    destination = destinations.get(hub, actor, route.destination_id)
    with hub.database.read() as session:
        row, _ = owned_row(session, actor, destination.id)
    moment = now()
    secrets = open_secrets(hub.vault, row, moment)
    target = get_target(route.destination_kind)
    job = Job("dlv_" + "0" * 32, target, secrets, shown.envelope, route.mapping)
    try:
        body = render_body(job)
        headers = redact_headers(sent_headers(job, body, moment).items())
    except InvalidInput as error:
        return None, {}, error.message
    masked = {name: _SIGNATURE.sub(REDACTED, text) for name, text in headers.items()}
    return body.decode("utf-8", "replace"), masked, None
