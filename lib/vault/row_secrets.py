"""How secrets are kept on rows: sealed, with what screens may show of them beside.

A sealed entry is `{"sealed", "last4", "set_at"}`; screens read `last4` and never unseal. It
opens at its own place alone: the table, the row's id and the field's name.

A connection whose proof was replaced keeps the one before under `PREVIOUS_PROOF`, with the
`field` that it was and the time until which it is accepted, `expires_at`. Nobody sees it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from lib.clock import now
from lib.models import AlertChannel, Destination, IntegrationConfig, OAuthGrant, User
from lib.providers.base import Provider
from lib.providers.fields import Values
from lib.vault.seals import Vault

# The tables whose rows hold sealed entries under `credentials`.
SealingRow = IntegrationConfig | Destination | OAuthGrant | AlertChannel | User
SEALING_TABLES: tuple[type[SealingRow], ...] = (
    IntegrationConfig,
    Destination,
    OAuthGrant,
    AlertChannel,
    User,
)
MASK = "••••"
PREVIOUS_PROOF = "previous_proof"
# Four characters of a shorter secret would give too much of it away.
_LAST_FOUR_FROM = 12


def keep_values(vault: Vault, row: IntegrationConfig, provider: Provider, values: Values) -> None:
    """Put a connection's values into its row: shown ones as they are, secrets sealed."""
    secret_names = {item.name for item in provider.fields if item.is_secret}
    row.config_data = {name: text for name, text in values.items() if name not in secret_names}
    secrets = {name: text for name, text in values.items() if name in secret_names}
    before = row.credentials.get(PREVIOUS_PROOF)
    keep_secrets(vault, row, secrets)
    if before is not None:
        row.credentials = {**row.credentials, PREVIOUS_PROOF: before}
    row.account_key = provider.account_key(values)


def open_values(vault: Vault, row: IntegrationConfig) -> dict[str, str]:
    """Return all values of a connection, secrets opened; raise SecretUnreadable."""
    opened = open_secrets(vault, row)
    opened.pop(PREVIOUS_PROOF, None)
    return {**row.config_data, **opened}


@dataclass(frozen=True, repr=False)
class PreviousProof:
    """The secret that a connection's requests were proven with before the present one."""

    field: str
    text: str
    expires_at: datetime


def keep_previous(vault: Vault, row: IntegrationConfig, previous: PreviousProof) -> None:
    """Accept the secret before the present one until it expires."""
    entry = _seal(vault, row, PREVIOUS_PROOF, previous.text)
    until = previous.expires_at.isoformat()
    row.credentials = {
        **row.credentials,
        PREVIOUS_PROOF: {**entry, "field": previous.field, "expires_at": until},
    }


def drop_previous(row: IntegrationConfig) -> None:
    """Forget the secret before the present one."""
    row.credentials = {
        name: entry for name, entry in row.credentials.items() if name != PREVIOUS_PROOF
    }


def open_previous(vault: Vault, row: IntegrationConfig) -> PreviousProof | None:
    """Return the secret before the present one, expired or not; raise SecretUnreadable."""
    entry = row.credentials.get(PREVIOUS_PROOF)
    if entry is None:
        return None
    text = vault.open(entry["sealed"], place=place_of(row, PREVIOUS_PROOF))
    return PreviousProof(entry["field"], text, datetime.fromisoformat(entry["expires_at"]))


def previous_until(row: IntegrationConfig, field: str) -> datetime | None:
    """Return until when the secret before this field's present one is accepted, if it is."""
    entry = row.credentials.get(PREVIOUS_PROOF)
    if entry is None or entry["field"] != field:
        return None
    expires_at = datetime.fromisoformat(entry["expires_at"])
    return expires_at if now() < expires_at else None


def keep_secrets(vault: Vault, row: SealingRow, values: Mapping[str, str]) -> None:
    """Make `values` the secrets of a row; one that did not change keeps its seal and its age."""
    stored = open_secrets(vault, row)
    row.credentials = {
        name: row.credentials[name] if stored.get(name) == text else _seal(vault, row, name, text)
        for name, text in values.items()
    }


def open_secrets(vault: Vault, row: SealingRow) -> dict[str, str]:
    """Return the secrets of a row by name; raise SecretUnreadable."""
    return {
        name: vault.open(entry["sealed"], place=place_of(row, name))
        for name, entry in row.credentials.items()
    }


def place_of(row: SealingRow, name: str) -> tuple[str, str, str]:
    """Return the place that an entry of a row is sealed for."""
    return str(row.__tablename__), row.id, name


def masks(row: SealingRow) -> dict[str, str]:
    """Return what is shown in place of each secret: dots and at most its last four."""
    return {name: MASK + entry["last4"] for name, entry in _present(row)}


def ages(row: SealingRow) -> dict[str, datetime]:
    """Return when each secret was set."""
    return {name: datetime.fromisoformat(entry["set_at"]) for name, entry in _present(row)}


def _present(row: SealingRow) -> list[tuple[str, dict[str, str]]]:
    return [each for each in row.credentials.items() if each[0] != PREVIOUS_PROOF]


def _seal(vault: Vault, row: SealingRow, name: str, text: str) -> dict[str, str]:
    return {
        "sealed": vault.seal(text, place=place_of(row, name)),
        "last4": text[-4:] if len(text) >= _LAST_FOUR_FROM else "",
        "set_at": now().isoformat(),
    }
