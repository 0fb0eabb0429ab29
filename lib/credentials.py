"""How the values of a connection are kept: shown ones as they are, secrets sealed.

A sealed entry is `{"sealed", "last4", "set_at"}`; screens read `last4` and never unseal.
"""

from datetime import datetime

from lib.clock import now
from lib.models import IntegrationConfig
from lib.providers.base import Provider
from lib.providers.fields import Values
from lib.seals import Vault

TABLE = "integration_configs"
MASK = "••••"
# Four characters of a shorter secret would give too much of it away.
_LAST_FOUR_FROM = 12


def keep_values(vault: Vault, row: IntegrationConfig, provider: Provider, values: Values) -> None:
    """Put `values` into the row; a secret that did not change keeps its seal and its age."""
    stored = open_values(vault, row)
    secret_names = {item.name for item in provider.fields if item.is_secret}
    row.config_data = {name: text for name, text in values.items() if name not in secret_names}
    row.credentials = {
        name: row.credentials[name]
        if stored.get(name) == text
        else _seal(vault, row.id, name, text)
        for name, text in values.items()
        if name in secret_names
    }
    row.account_key = provider.account_key(values)


def open_values(vault: Vault, row: IntegrationConfig) -> dict[str, str]:
    """Return all values of a row with the sealed ones opened; raise SecretUnreadable."""
    opened = {
        name: vault.open(entry["sealed"], place=(TABLE, row.id, name))
        for name, entry in row.credentials.items()
    }
    return {**row.config_data, **opened}


def masks(row: IntegrationConfig) -> dict[str, str]:
    """Return what is shown in place of each secret: dots and at most its last four."""
    return {name: MASK + entry["last4"] for name, entry in row.credentials.items()}


def ages(row: IntegrationConfig) -> dict[str, datetime]:
    """Return when each secret was set."""
    return {
        name: datetime.fromisoformat(entry["set_at"]) for name, entry in row.credentials.items()
    }


def _seal(vault: Vault, row_id: str, name: str, text: str) -> dict[str, str]:
    return {
        "sealed": vault.seal(text, place=(TABLE, row_id, name)),
        "last4": text[-4:] if len(text) >= _LAST_FOUR_FROM else "",
        "set_at": now().isoformat(),
    }
