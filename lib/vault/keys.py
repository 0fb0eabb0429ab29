"""Where the master keys come from, and the canary that proves they are the right ones."""

import base64
import os
from pathlib import Path

from sqlmodel import Session

from lib.errors import ConfigError, SecretUnreadable
from lib.models import HubFact
from lib.settings import Settings, decode_master_keys
from lib.vault.seals import Vault

CANARY = "key_canary"
_CANARY_PLACE = ("hub_facts", CANARY, "value")
_CANARY_TEXT = "members hub"


def load_vault(settings: Settings) -> Vault:
    """Open the vault with the keys of HUB_MASTER_KEYS, else of the key file.

    Raises ConfigError when there is neither: only `create_key_file` makes a key.
    """
    if settings.master_keys is not None:
        return Vault(decode_master_keys(settings.master_keys.get_secret_value()))
    path = settings.key_file
    return Vault(read_key_file(path), reload=lambda: read_key_file(path))


def read_key_file(path: Path) -> list[bytes]:
    """Return the keys of the file, the sealing one first; raise ConfigError if there is none."""
    try:
        return decode_master_keys(path.read_text())
    except FileNotFoundError:
        raise ConfigError(
            f"There is no master key: HUB_MASTER_KEYS is not set and {path} does "
            "not exist. Restore the key, or run `python -m lib.cli migrate` on a new hub."
        ) from None
    except ValueError as error:
        raise ConfigError(f"Mend {path}: {error}.") from error


def add_key(path: Path) -> None:
    """Put a new key before the keys of the file: it seals from now on, and all still open."""
    keys = [os.urandom(32), *read_key_file(path)]
    draft = _write_draft(path, keys)
    draft.replace(path)


def create_key_file(path: Path) -> bool:
    """Write one new key that only the owner may read; say whether this call made it.

    Safe when several processes start at once: the finished file is linked into place,
    and the first link wins.
    """
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = _write_draft(path, [os.urandom(32)])
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True


def has_canary(session: Session) -> bool:
    """Say whether this database has been used with a key already."""
    return session.get(HubFact, CANARY) is not None


def check_canary(session: Session, vault: Vault) -> None:
    """Raise ConfigError unless `vault` opens the canary, which is sealed if there is none."""
    canary = session.get(HubFact, CANARY)
    if canary is None:
        session.add(HubFact(name=CANARY, value=vault.seal(_CANARY_TEXT, place=_CANARY_PLACE)))
        return
    open_canary(canary.value, vault)


def open_canary(sealed: str, vault: Vault) -> None:
    """Raise ConfigError unless `vault` opens this canary."""
    try:
        vault.open(sealed, place=_CANARY_PLACE)
    except SecretUnreadable as error:
        raise ConfigError(
            "The master key does not belong to this database, so the stored credentials cannot "
            "be opened. Nothing was changed. Put back the key that was used before, in "
            "HUB_MASTER_KEYS or in the key file."
        ) from error


def reseal_canary(session: Session, vault: Vault) -> None:
    """Seal the canary with the key that seals now."""
    canary = session.get_one(HubFact, CANARY)
    vault.open(canary.value, place=_CANARY_PLACE)
    canary.value = vault.seal(_CANARY_TEXT, place=_CANARY_PLACE)


def _write_draft(path: Path, keys: list[bytes]) -> Path:
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(base64.b64encode(key).decode() + "\n" for key in keys)
        file.flush()
        # A key that only the page cache knows would take every credential with it.
        os.fsync(file.fileno())
    return draft
