"""What users see of a connection; knows which role sees which part, and no query."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from lib.access import Actor
from lib.clock import now
from lib.hub import Hub
from lib.masking import HIDDEN
from lib.models import IntegrationConfig
from lib.vault.row_secrets import MASK, ages, masks


@dataclass(frozen=True)
class Integration:
    """What a user may see of a connection; `credentials` holds masks, not values."""

    id: str
    user_id: str
    owner: str
    service_name: str
    name: str
    config_data: Mapping[str, str]
    credentials: Mapping[str, str]
    credentials_set_at: Mapping[str, datetime]
    webhook_url: str
    previous_address_until: datetime | None
    is_active: bool
    status: str
    status_message: str
    checked_at: datetime | None
    # What the last test found out, such as the account's name, by its label.
    check_facts: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, repr=False)
class Issued:
    """A connection with the secret that was just issued for it, shown this once."""

    integration: Integration
    inbound_secret: str | None


def view(hub: Hub, row: IntegrationConfig, actor: Actor, *, owner: str) -> Integration:
    """Return what `actor` sees of a row.

    An analyst sees that values are set, but none of them: settings hold phone numbers and
    addresses, and a vendor's answer to a test can name the account's owner.
    """
    is_masked = actor.sees_masked
    path = urlsplit(row.webhook_url).path
    address = hub.settings.public_url + path[path.index("/api/") :]
    return Integration(
        id=row.id,
        user_id=row.user_id,
        owner=HIDDEN if is_masked else owner,
        service_name=row.service_name,
        name=row.name,
        config_data=dict.fromkeys(row.config_data, HIDDEN) if is_masked else dict(row.config_data),
        credentials=dict.fromkeys(masks(row), MASK) if is_masked else masks(row),
        credentials_set_at=ages(row),
        webhook_url=f"{address.rpartition('/')[0]}/{MASK}" if is_masked else address,
        previous_address_until=_address_until(row),
        is_active=row.is_active,
        status=row.status,
        status_message=HIDDEN if is_masked else row.status_message,
        checked_at=row.checked_at,
        check_facts={} if is_masked else dict(row.check_facts),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _address_until(row: IntegrationConfig) -> datetime | None:
    """Return until when the address before the present one works, if it still does."""
    ends_at = row.previous_token_expires_at
    return ends_at if row.previous_token_digest and ends_at and now() < ends_at else None
