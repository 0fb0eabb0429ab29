"""Destinations as attempts need them, opened once and kept while their rows do not change."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from lib.clock import now
from lib.models import Destination
from lib.outgoing.destination_secrets import open_secrets
from lib.outgoing.exchange import Secrets
from lib.providers.registry import get_target
from lib.providers.targets import Target
from lib.vault.seals import Vault

# After this a previous signing secret whose overlap has ended is no longer used.
_KEPT = timedelta(seconds=60)


@dataclass(frozen=True, repr=False)
class OpenedDestination:
    """What kind of place it is, and the secrets that reach it."""

    target: Target
    secrets: Secrets


@dataclass(frozen=True, repr=False)
class _Entry:
    updated_at: datetime
    opened_at: datetime
    opened: OpenedDestination


class DestinationBook:
    """Opens each destination once a minute, not once a delivery."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._entries: dict[str, _Entry] = {}

    def open(self, row: Destination) -> OpenedDestination:
        """Return a destination's target and secrets; raise SecretUnreadable or InvalidInput."""
        moment = now()
        entry = self._entries.get(row.id)
        if entry and entry.updated_at == row.updated_at and moment - entry.opened_at < _KEPT:
            return entry.opened
        secrets = open_secrets(self._vault, row, moment)
        opened = OpenedDestination(get_target(row.kind), secrets)
        self._entries[row.id] = _Entry(row.updated_at, moment, opened)
        return opened
