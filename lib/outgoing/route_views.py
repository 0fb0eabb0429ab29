"""What users enter for a route and see of it; knows no query."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lib.models import Destination, IntegrationConfig, Route


@dataclass(frozen=True, repr=False)
class RouteDraft:
    """What a person or a caller enters; a blank name becomes "<integration> → <destination>".

    `filters` are rows of `{"path", "operator", "value"}`, as they come.
    """

    integration_id: str
    destination_id: str
    event_types: Sequence[str] = ("*",)
    filters: Any = ()
    mapping: str | None = None
    name: str = ""


@dataclass(frozen=True, repr=False)
class RouteView:
    """What a user may see of a route; filters can hold people's data, so `repr` shows none."""

    id: str
    user_id: str
    name: str
    integration_id: str
    integration_name: str
    service_name: str
    destination_id: str
    destination_name: str
    destination_kind: str
    event_types: Sequence[str]
    filters: Sequence[dict[str, Any]]
    mapping: str | None
    is_active: bool
    created_at: datetime
    updated_at: datetime


def view(row: Route, integration: IntegrationConfig, destination: Destination) -> RouteView:
    """Return what is seen of a route between these two."""
    return RouteView(
        id=row.id,
        user_id=row.user_id,
        name=row.name,
        integration_id=integration.id,
        integration_name=integration.name,
        service_name=integration.service_name,
        destination_id=destination.id,
        destination_name=destination.name,
        destination_kind=destination.kind,
        event_types=tuple(row.event_types),
        filters=tuple(row.filters),
        mapping=row.mapping,
        is_active=row.is_active,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
