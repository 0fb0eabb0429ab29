"""Every operation of the API; nothing else lists them."""

from webhook_receiver.api import (
    actions,
    deliveries,
    destinations,
    events,
    hooks,
    integrations,
    me,
    replays,
    routes,
)
from webhook_receiver.api.operations import Operation

# By noun, in the order in which the documentation shows them.
CATALOG: dict[str, tuple[Operation, ...]] = {
    "Account": me.OPERATIONS,
    "Integrations": integrations.OPERATIONS,
    "Actions": actions.OPERATIONS,
    "Events": events.OPERATIONS,
    "Subscriptions": hooks.OPERATIONS,
    "Destinations": destinations.OPERATIONS,
    "Routes": routes.OPERATIONS,
    "Deliveries": deliveries.OPERATIONS,
    "Replays": replays.OPERATIONS,
}
OPERATIONS: tuple[Operation, ...] = tuple(
    operation for operations in CATALOG.values() for operation in operations
)
