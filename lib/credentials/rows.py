"""What a credential is to its owner: set or missing, how old, what ends when; never its value."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from lib.clock import now
from lib.connections.integrations import ADDRESS_OVERLAP
from lib.credentials.ages import WARNED_DAYS
from lib.models import Destination, IntegrationConfig, OAuthGrant
from lib.outgoing.destination_secrets import SIGNING, URL
from lib.providers.fields import CredentialField
from lib.providers.registry import find_provider, find_target, provider_of_target
from lib.vault.row_secrets import previous_until

ADDRESS, GRANT = "webhook_address", "authorisation"


class Kind(StrEnum):
    """What a credential is for, and so how it is replaced."""

    ADDRESS = "address"
    ISSUED = "issued"
    ENTERED = "entered"
    GRANT = "grant"
    HOOK = "hook"
    SIGNING = "signing"


class State(StrEnum):
    """How a credential stands; the first that holds, the most urgent first."""

    MISSING = "missing"
    FAILING = "failing"
    EXPIRING = "expiring"
    OLD = "old"
    SET = "set"
    OPTIONAL = "optional"


@dataclass(frozen=True)
class Credential:
    """One credential of an integration or a destination, as its owner and staff see it.

    `key` is the object's id and the field's name. `expires_at` is when the present one ends,
    `overlap_until` when the one before it does. `proves` tells whether requests to the hub are
    proven with it, `calls` whether something is called with it.
    """

    key: str
    object_id: str
    object_name: str
    user_id: str
    owner: str
    service_name: str
    field: str
    label: str
    kind: Kind
    is_set: bool
    is_needed: bool
    help: str = ""
    last4: str = ""
    set_at: datetime | None = None
    rotate_days: int | None = None
    partner: str = ""
    is_checked: bool = False
    proves: bool = False
    calls: bool = False
    last_used_at: datetime | None = None
    outcome: str | None = None
    message: str = ""
    checked_at: datetime | None = None
    scopes_found: tuple[str, ...] = ()
    scopes_missing: tuple[str, ...] = ()
    expires_at: datetime | None = None
    trouble: str = ""
    overlap_until: datetime | None = None

    @property
    def is_destination(self) -> bool:
        """Whether it belongs to a destination and not to an integration."""
        return self.kind in (Kind.HOOK, Kind.SIGNING)

    @property
    def days(self) -> int | None:
        """How many days ago it was set."""
        return (now() - self.set_at).days if self.set_at else None

    @property
    def is_used(self) -> bool:
        """Whether it was used since it was set."""
        return bool(self.last_used_at and self.set_at and self.last_used_at > self.set_at)

    @property
    def is_old(self) -> bool:
        """Whether its vendor advises to replace it by now, or within ten days."""
        days = self.days
        if self.rotate_days is None or days is None:
            return False
        return days >= self.rotate_days - WARNED_DAYS

    @property
    def states(self) -> tuple[State, ...]:
        """All that holds of it, the most urgent first."""
        if not self.is_set:
            return (State.MISSING if self.is_needed else State.OPTIONAL,)
        found = {
            State.FAILING: self.outcome == "failed",
            State.EXPIRING: bool(self.trouble or self.overlap_until or self._ends_unrenewed()),
            State.OLD: self.is_old,
        }
        return tuple(state for state, holds in found.items() if holds) or (State.SET,)

    def _ends_unrenewed(self) -> bool:
        return self.expires_at is not None and self.expires_at < now()


def of_integration(
    row: IntegrationConfig, owner: str, grant: OAuthGrant | None
) -> Iterator[Credential]:
    """Yield the credentials of a connection, its address first; those not set as well."""
    provider = find_provider(row.service_name)
    if provider is None:
        return
    blank = Credential(
        "", row.id, row.name, row.user_id, owner, row.service_name, "", "", Kind.ENTERED,
        is_set=False, is_needed=False,
    )  # fmt: skip
    yield _address(blank, row)
    for item in provider.fields:
        if item.is_secret:
            found = _secret(blank, row, item)
            is_proof = item.name == provider.signing_field
            is_issued = item.name == provider.issued_field
            yield replace(
                found,
                kind=Kind.ISSUED if is_issued else Kind.ENTERED,
                proves=is_proof or "shared_key" in item.name or item.name.startswith("previous"),
                calls=item.is_checked,
                is_needed=item.is_required or is_proof or _is_half(row, item),
            )
    if grant is not None:
        yield _grant(blank, row, grant)


def of_destination(row: Destination, owner: str) -> Iterator[Credential]:
    """Yield the credentials of a destination; an action has none of its own."""
    target = find_target(row.kind)
    provider = provider_of_target(row.kind)
    if target is None or not target.has_address:
        return
    blank = Credential(
        "", row.id, row.name, row.user_id, owner, provider.slug if provider else "", "", "",
        Kind.HOOK, is_set=False, is_needed=True, calls=True,
    )  # fmt: skip
    yield _named(blank, row.credentials, URL, label="Address", help_text=target.url_help)
    ends_at = row.previous_secret_expires_at
    signing = _named(blank, row.credentials, SIGNING, label="Signing secret")
    yield replace(
        signing,
        kind=Kind.SIGNING,
        overlap_until=ends_at if ends_at and now() < ends_at else None,
    )
    for item in target.fields:
        if item.is_secret:
            found = _named(blank, row.credentials, item.name, label=item.label, help_text=item.help)
            yield replace(found, is_needed=item.is_required)


def _named(
    blank: Credential,
    entries: Mapping[str, Any],
    name: str,
    *,
    label: str,
    help_text: str = "",
) -> Credential:
    entry = entries.get(name)
    return replace(
        blank,
        key=f"{blank.object_id}.{name}",
        field=name,
        label=label,
        help=help_text,
        is_set=entry is not None,
        last4=entry["last4"] if entry else "",
        set_at=datetime.fromisoformat(entry["set_at"]) if entry else None,
    )


def _secret(blank: Credential, row: IntegrationConfig, item: CredentialField) -> Credential:
    found = _named(blank, row.credentials, item.name, label=item.label, help_text=item.help)
    found = replace(
        found,
        rotate_days=item.rotate_days,
        partner=item.partner,
        is_checked=item.is_checked,
        overlap_until=previous_until(row, item.name),
    )
    return _checked(found, row) if item.is_checked and found.is_set else found


def _checked(found: Credential, row: IntegrationConfig) -> Credential:
    if row.checked_at is None:
        return found
    return replace(
        found,
        outcome=row.status,
        message=row.status_message,
        checked_at=row.checked_at,
        scopes_found=tuple(row.check_facts.get("scopes_found", ())),
        scopes_missing=tuple(row.check_facts.get("scopes_missing", ())),
    )


def _is_half(row: IntegrationConfig, item: CredentialField) -> bool:
    """Tell whether the value that it changes along with is there, so that it is missed."""
    return bool(item.partner and row.config_data.get(item.partner))


def _address(blank: Credential, row: IntegrationConfig) -> Credential:
    ends_at = row.previous_token_expires_at
    return replace(
        blank,
        key=f"{row.id}.{ADDRESS}",
        field=ADDRESS,
        label="Webhook address",
        kind=Kind.ADDRESS,
        is_set=bool(row.token_digest),
        is_needed=True,
        last4=row.webhook_url[-4:],
        set_at=ends_at - ADDRESS_OVERLAP if ends_at else row.created_at,
        overlap_until=(
            ends_at if row.previous_token_digest and ends_at and now() < ends_at else None
        ),
        proves=True,
    )


def _grant(blank: Credential, row: IntegrationConfig, grant: OAuthGrant) -> Credential:
    found = replace(
        blank,
        key=f"{row.id}.{GRANT}",
        field=GRANT,
        label="Authorisation",
        kind=Kind.GRANT,
        is_set=True,
        is_needed=True,
        help="Its tokens are renewed by the hub before they end.",
        set_at=grant.connected_at,
        expires_at=grant.expires_at,
        trouble=grant.trouble or "",
        calls=True,
    )
    return _checked(found, row)
