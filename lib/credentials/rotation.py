"""Replacing what a connection is proven and called with, and ending what is accepted meanwhile.

A secret that the check can try is tried before it replaces the one that works.
"""

from collections.abc import Mapping

from lib import audit
from lib.access import Actor
from lib.clock import now
from lib.connections.integrations import bump_revision, overlap_proof, owned_row
from lib.errors import BudgetSpent, InvalidInput, ProviderError
from lib.http import VendorClient
from lib.hub import Hub
from lib.models import IntegrationConfig
from lib.providers.base import CheckResult, Provider
from lib.providers.fields import CredentialField
from lib.providers.registry import get_provider
from lib.vault.row_secrets import drop_previous, keep_values, open_values
from lib.vendors.api_calls import keep_calls
from lib.vendors.budgets import open_client


def replace_secret(
    hub: Hub, actor: Actor, integration_id: str, *, field: str, values: Mapping[str, str]
) -> str:
    """Put a new secret, and the value that changes along with it, in place of the present one.

    Returns what the check said. The vendor is asked first where the check tries this secret;
    one that it refuses raises InvalidInput(field), and the present one stays. What proves
    incoming requests is accepted for 24 hours after it was replaced.
    """
    with hub.database.write() as session:
        row = owned_row(session, actor, integration_id)
    provider = get_provider(row.service_name)
    item = _replaceable(provider, field)
    entered = _entered(item, values)
    stored = open_values(hub.vault, row)
    clean = provider.validate({**stored, **entered}, hub.settings)
    result = None
    if item.is_checked:
        result = _try(hub, row, clean)
        if result.outcome == "failed":
            raise InvalidInput(
                f"The one in use is kept, for the new one does not work. {result.message}",
                field=field,
            )
    with hub.database.write() as session:
        row = owned_row(session, actor, integration_id)
        latest = open_values(hub.vault, row)
        keep_values(hub.vault, row, provider, {**latest, **{key: clean[key] for key in entered}})
        if field == provider.signing_field and latest.get(field) != clean[field]:
            overlap_proof(hub, row, latest)
        _note(row, result)
        bump_revision(session)
        audit.record(
            session, actor, "integration.secret_replaced", row.id, name=row.name, field=field
        )
    return result.message if result else "Nothing can try it before it is used for the first time."


def end_secret_overlap(hub: Hub, actor: Actor, integration_id: str) -> None:
    """Refuse the inbound secret before the present one from now on."""
    with hub.database.write() as session:
        row = owned_row(session, actor, integration_id)
        drop_previous(row)
        row.updated_at = now()
        bump_revision(session)
        audit.record(session, actor, "integration.secret_overlap_ended", row.id, name=row.name)


def end_address_overlap(hub: Hub, actor: Actor, integration_id: str) -> None:
    """Refuse what comes to the address before the present one from now on."""
    with hub.database.write() as session:
        row = owned_row(session, actor, integration_id)
        # The time of its end stays: it tells how old the present address is.
        row.previous_token_digest = None
        row.updated_at = now()
        bump_revision(session)
        audit.record(session, actor, "integration.address_overlap_ended", row.id, name=row.name)


def _replaceable(provider: Provider, field: str) -> CredentialField:
    for item in provider.fields:
        if item.name == field and item.is_secret:
            return item
    raise InvalidInput(f"{provider.label} has no secret {field}.", field=field)


def _entered(item: CredentialField, values: Mapping[str, str]) -> dict[str, str]:
    text = values.get(item.name, "").strip()
    if not text:
        raise InvalidInput(f"Enter the new {item.label}.", field=item.name)
    partner = values.get(item.partner, "").strip() if item.partner else ""
    return {item.name: text, **({item.partner: partner} if partner else {})}


def _try(hub: Hub, row: IntegrationConfig, values: Mapping[str, str]) -> CheckResult:
    """Ask the vendor with the new values alone, outside any transaction."""
    with open_client(hub, row) as client:
        try:
            return _ask(hub, row, values, client=client)
        finally:
            with hub.database.write() as session:
                keep_calls(session, row, client.calls)


def _ask(
    hub: Hub, row: IntegrationConfig, values: Mapping[str, str], *, client: VendorClient
) -> CheckResult:
    try:
        return get_provider(row.service_name).check(values, hub.settings, client)
    except BudgetSpent:
        raise
    except ProviderError as error:
        return CheckResult("failed", error.message)


def _note(row: IntegrationConfig, result: CheckResult | None) -> None:
    row.updated_at = now()
    if result is None:
        row.status, row.status_message = "untested", "Changed since the last test."
        return
    row.status, row.status_message, row.checked_at = result.outcome, result.message, now()
    row.check_facts = result.to_json()
