"""Testing a connection against its vendor, truthfully, with every call on record."""

from dataclasses import dataclass
from datetime import datetime

from lib.access import Actor
from lib.clock import now
from lib.connections.integrations import bump_revision, owned_row
from lib.errors import BudgetSpent, ProviderError
from lib.http import VendorClient
from lib.hub import Hub
from lib.models import IntegrationConfig, OAuthGrant
from lib.providers.base import CheckResult
from lib.providers.registry import get_provider
from lib.vendors.api_calls import keep_calls
from lib.vendors.budgets import open_client
from lib.vendors.oauth_tokens import open_call_values


@dataclass(frozen=True)
class Check:
    """The outcome of one test: verified, accepted or failed, with its sentence."""

    outcome: str
    message: str
    facts: dict[str, str]
    checked_at: datetime
    scopes_found: tuple[str, ...] = ()
    scopes_missing: tuple[str, ...] = ()


def run_check(hub: Hub, actor: Actor, integration_id: str) -> Check:
    """Run the connection check and keep its outcome on the integration.

    The vendor is called outside any transaction, for it may take seconds. Raises BudgetSpent
    when the account's budget is spent.
    """
    with hub.database.write() as session:
        row = owned_row(session, actor, integration_id)
    with open_client(hub, row) as client:
        result = _ask(hub, row, client=client)
    checked_at = now()
    with hub.database.write() as session:
        row = owned_row(session, actor, integration_id)
        row.status, row.status_message, row.checked_at = (
            result.outcome,
            result.message,
            checked_at,
        )
        row.check_facts = result.to_json()
        bump_revision(session)
        keep_calls(session, row, client.calls)
    return Check(
        result.outcome,
        result.message,
        dict(result.facts),
        checked_at,
        result.scopes_found,
        result.scopes_missing,
    )


def _granted(hub: Hub, row: IntegrationConfig) -> dict[str, str]:
    """Return what an authorisation of the connection's app was granted, as its vendor said."""
    with hub.database.read() as session:
        grant = session.get(OAuthGrant, row.id)
    scopes = str(grant.facts.get("scope", "")) if grant else ""
    return {"oauth_granted_scopes": scopes} if scopes else {}


def _ask(hub: Hub, row: IntegrationConfig, *, client: VendorClient) -> CheckResult:
    try:
        values = {**open_call_values(hub, row), **_granted(hub, row)}
        return get_provider(row.service_name).check(values, hub.settings, client)
    except BudgetSpent:
        # It says nothing about the credentials.
        raise
    except ProviderError as error:
        return CheckResult("failed", error.message)
