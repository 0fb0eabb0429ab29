"""Testing a connection against its vendor, truthfully, with every call on record."""

from dataclasses import dataclass
from datetime import datetime

from lib.access import Actor
from lib.api_calls import keep_calls
from lib.clock import now
from lib.credentials import open_values
from lib.errors import ProviderError
from lib.http import VendorClient
from lib.hub import Hub
from lib.integrations import bump_revision, owned_row
from lib.providers.base import CheckResult
from lib.providers.fields import Values
from lib.providers.registry import get_provider


@dataclass(frozen=True)
class Check:
    """The outcome of one test: verified, accepted or failed, with its sentence."""

    outcome: str
    message: str
    facts: dict[str, str]
    checked_at: datetime


def run_check(hub: Hub, actor: Actor, integration_id: str) -> Check:
    """Run the connection check and keep its outcome on the integration.

    The vendor is called outside any transaction, for it may take seconds.
    """
    with hub.database.write() as session:
        row = owned_row(session, actor, integration_id)
    values = open_values(hub.vault, row)
    settings = hub.settings
    with VendorClient(settings.allowed_private_networks, settings.vendor_api_urls) as client:
        result = _ask(hub, client, service_name=row.service_name, values=values)
    checked_at = now()
    with hub.database.write() as session:
        row = owned_row(session, actor, integration_id)
        row.status, row.status_message, row.checked_at = (
            result.outcome,
            result.message,
            checked_at,
        )
        bump_revision(session)
        keep_calls(session, row, client.calls)
    return Check(result.outcome, result.message, dict(result.facts), checked_at)


def _ask(hub: Hub, client: VendorClient, *, service_name: str, values: Values) -> CheckResult:
    try:
        return get_provider(service_name).check(values, hub.settings, client)
    except ProviderError as error:
        return CheckResult("failed", error.message)
