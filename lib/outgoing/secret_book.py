"""The opened secrets of destinations, kept while their rows do not change."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from lib.clock import now
from lib.models import Destination
from lib.outgoing.destination_secrets import open_secrets
from lib.outgoing.exchange import Secrets
from lib.seals import Vault

# After this a previous signing secret whose overlap has ended is no longer used.
_KEPT = timedelta(seconds=60)


@dataclass(frozen=True, repr=False)
class _Entry:
    updated_at: datetime
    opened_at: datetime
    secrets: Secrets


class SecretBook:
    """Opens each destination's secrets once a minute, not once a delivery."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._entries: dict[str, _Entry] = {}

    def secrets_of(self, row: Destination) -> Secrets:
        """Return the secrets of a destination; raise SecretUnreadable."""
        moment = now()
        entry = self._entries.get(row.id)
        if entry is None or entry.updated_at != row.updated_at or moment - entry.opened_at >= _KEPT:
            secrets = open_secrets(self._vault, row, moment)
            entry = _Entry(row.updated_at, moment, secrets)
            self._entries[row.id] = entry
        return entry.secrets
