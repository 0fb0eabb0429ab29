"""What users see of a destination; knows which role sees which part, and no query."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lib.access import Actor
from lib.clock import now
from lib.masking import HIDDEN
from lib.models import Destination
from lib.outgoing.destination_secrets import PREVIOUS
from lib.outgoing.limits import Limits, limits_of
from lib.providers.targets import RateLimit
from lib.vault.row_secrets import MASK, ages, masks


@dataclass(frozen=True, repr=False)
class DestinationDraft:
    """What a person or a caller enters; blank secrets of a stored one are kept.

    `values` are those of the target's own fields. `rate_limit` is
    `{"per_second", "per_five_minutes"?}`; None leaves the limits to the kind. An action has
    `integration_id` and `action` in place of an address.
    """

    name: str
    url: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    rate_limit: Mapping[str, Any] | None = None
    concurrency: int | None = None
    # What a REST hook subscribed to, as `lib.outgoing.hook_subscriptions` keeps it.
    subscription: Mapping[str, Any] | None = None
    integration_id: str = ""
    action: str = ""


@dataclass(frozen=True)
class DestinationView:
    """What a user may see of a destination; `credentials` holds masks, not values.

    `own_rate` is the limit that was entered, `limits` is what holds.
    """

    id: str
    user_id: str
    owner: str
    name: str
    kind: str
    url_host: str
    credentials: Mapping[str, str]
    credentials_set_at: Mapping[str, datetime]
    limits: Limits
    own_rate: RateLimit | None
    own_concurrency: int | None
    previous_secret_expires_at: datetime | None
    is_active: bool
    disabled_at: datetime | None
    disabled_reason: str | None
    created_at: datetime
    updated_at: datetime
    integration_id: str | None = None
    action: str | None = None


@dataclass(frozen=True, repr=False)
class IssuedDestination:
    """A destination with the signing secret that was just issued, shown this once.

    An action is not signed, so it has none.
    """

    destination: DestinationView
    signing_secret: str | None


def view(row: Destination, actor: Actor, *, owner: str) -> DestinationView:
    """Return what `actor` sees of a row; an analyst sees no host and no owner."""
    is_masked = actor.sees_masked
    ends_at = row.previous_secret_expires_at
    shown = {name: mask for name, mask in masks(row).items() if name != PREVIOUS}
    own_rate = row.config_data.get("rate_limit")
    return DestinationView(
        id=row.id,
        user_id=row.user_id,
        owner=HIDDEN if is_masked else owner,
        name=row.name,
        kind=row.kind,
        url_host=HIDDEN if is_masked else row.url_host,
        credentials=dict.fromkeys(shown, MASK) if is_masked else shown,
        credentials_set_at={name: at for name, at in ages(row).items() if name in shown},
        limits=limits_of(row),
        own_rate=RateLimit(**own_rate) if own_rate else None,
        own_concurrency=row.config_data.get("concurrency"),
        previous_secret_expires_at=ends_at if ends_at and now() < ends_at else None,
        is_active=row.is_active,
        disabled_at=row.disabled_at,
        disabled_reason=HIDDEN if is_masked and row.disabled_reason else row.disabled_reason,
        created_at=row.created_at,
        updated_at=row.updated_at,
        integration_id=row.config_data.get("integration_id"),
        action=row.config_data.get("action"),
    )
