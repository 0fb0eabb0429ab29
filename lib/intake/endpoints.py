"""The receiver's memory of connections, so that a request reads nothing before its insert."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from lib.clock import now
from lib.connections.integrations import REVISION, token_digest
from lib.database import OUTAGES
from lib.errors import SecretUnreadable, SignatureError, StorageUnavailable
from lib.hub import Hub
from lib.models import HubFact, IntegrationConfig
from lib.providers.base import InboundRequest, Provider, Verification
from lib.providers.fields import Values
from lib.providers.registry import get_provider
from lib.settings import Settings
from lib.vault.row_secrets import open_previous, open_values

log = structlog.get_logger()

# What an event's verification says when the secret before the present one proved it.
SECRET_FACT, PREVIOUS_SECRET = "secret", "the one before the rotation"


@dataclass(frozen=True, repr=False)
class PreviousValues:
    """What a request may be proven with until `expires_at`, after a secret was replaced."""

    values: Values
    expires_at: datetime


@dataclass(frozen=True, repr=False)
class Endpoint:
    """One connection as a receiver needs it; `values` are opened, so `repr` shows none.

    `values` is None when a secret does not open: its requests are put off, not refused.
    """

    integration_id: str
    user_id: str
    provider: Provider
    values: Values | None
    is_proven: bool
    # The values with the secret before the present one, which is accepted for a while.
    previous: PreviousValues | None = None

    def verify(self, request: InboundRequest, settings: Settings) -> Verification:
        """Prove a request with the present secret, or with the one before while that lasts.

        Raises SignatureError as the present secret makes it, SecretUnreadable.
        """
        try:
            return self.provider.verify(request, self.opened, settings)
        except SignatureError:
            known = self._verify_before(request, settings)
            if known is None:
                raise
            return known

    def _verify_before(self, request: InboundRequest, settings: Settings) -> Verification | None:
        if self.previous is None or now() >= self.previous.expires_at:
            return None
        try:
            known = self.provider.verify(request, self.previous.values, settings)
        except SignatureError:
            return None
        return replace(known, facts={**known.facts, SECRET_FACT: PREVIOUS_SECRET})

    @property
    def opened(self) -> Values:
        """The values; raises SecretUnreadable when they do not open."""
        if self.values is None:
            raise SecretUnreadable(
                f"The credentials of {self.integration_id} do not open. Run "
                "`python -m lib.cli check`, then enter them again."
            )
        return self.values


@dataclass(frozen=True)
class _Known:
    by_token: dict[tuple[str, str], tuple[Endpoint, datetime | None]]
    by_account: dict[tuple[str, str], list[Endpoint]]
    by_wider_account: dict[tuple[str, str], list[Endpoint]]


class EndpointDirectory:
    """All endpoints by token and by account, reloaded when the revision has moved.

    `find` and `claimants` only read memory; `refresh` reads the database and is called from
    a thread.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._revision: str | None = None
        self._loaded = False
        self._known = _Known({}, {}, {})
        self._lock = threading.Lock()

    def find(self, service_name: str, token: str) -> Endpoint | None:
        """Return the endpoint of a token, current or in its overlap after a rotation."""
        found = self._known.by_token.get((service_name, token_digest(token)))
        if found is None:
            return None
        endpoint, expires_at = found
        return endpoint if expires_at is None or now() < expires_at else None

    def claimants(self, service_name: str, accounts: Sequence[str]) -> list[Endpoint]:
        """Return the endpoints set up for one of the vendor's accounts, oldest first.

        What several of the accounts are part of stands for one of them where it is the only one.
        """
        for account in accounts:
            found = self._known.by_account.get((service_name, account))
            if found:
                return found
            parts = self._known.by_wider_account.get((service_name, account), [])
            if len(parts) == 1:
                return parts
        return []

    def refresh(self) -> None:
        """Reload if anything changed; raise StorageUnavailable and keep what is known."""
        with self._lock:
            try:
                with self._hub.database.read() as session:
                    self._reload(session)
            except (DBAPIError, *OUTAGES) as error:
                raise StorageUnavailable(
                    "The database does not answer. Check that it runs and has space."
                ) from error

    def _reload(self, session: Session) -> None:
        fact = session.get(HubFact, REVISION)
        revision = fact.value if fact else None
        if self._loaded and revision == self._revision:
            return
        rows = session.exec(
            select(IntegrationConfig)
            .where(col(IntegrationConfig.deleted_at).is_(None))
            .order_by(col(IntegrationConfig.id))
        ).all()
        known = _Known({}, {}, {})
        for row in rows:
            self._remember(known, row)
        self._known, self._revision, self._loaded = known, revision, True

    def _remember(self, known: _Known, row: IntegrationConfig) -> None:
        endpoint = self._open(row)
        service = row.service_name
        if row.token_digest:
            known.by_token[service, row.token_digest] = endpoint, None
        if row.previous_token_digest:
            known.by_token[service, row.previous_token_digest] = (
                endpoint,
                row.previous_token_expires_at,
            )
        if row.account_key:
            known.by_account.setdefault((service, row.account_key), []).append(endpoint)
        wider = endpoint.values and endpoint.provider.wider_account(endpoint.values)
        if wider:
            known.by_wider_account.setdefault((service, wider), []).append(endpoint)

    def _open(self, row: IntegrationConfig) -> Endpoint:
        values: Values | None = None
        previous: PreviousValues | None = None
        try:
            values = open_values(self._hub.vault, row)
            previous = self._open_before(row, values)
        except SecretUnreadable as error:
            log.error("credentials_unreadable", integration=row.id, why=error.message)
        return Endpoint(
            integration_id=row.id,
            user_id=row.user_id,
            provider=get_provider(row.service_name),
            values=values,
            is_proven=row.status == "verified",
            previous=previous,
        )

    def _open_before(self, row: IntegrationConfig, values: Values) -> PreviousValues | None:
        before = open_previous(self._hub.vault, row)
        if before is None or now() >= before.expires_at:
            return None
        return PreviousValues({**values, before.field: before.text}, before.expires_at)
