"""The sealed entries of a destination: its address, its signing secrets, its target's values.

Only what is opened here can be sent to; views show masks of the same entries.
"""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

from lib.errors import InvalidInput, SecretUnreadable
from lib.models import Destination
from lib.outgoing.exchange import Secrets
from lib.providers.fields import clean_values
from lib.providers.registry import find_target
from lib.providers.targets import Target
from lib.settings import Settings
from lib.vault import row_secrets
from lib.vault.seals import Vault

URL = "url"
SIGNING = "signing_secret"
PREVIOUS = "previous_signing_secret"
_OWN = frozenset({URL, SIGNING, PREVIOUS})
_MOST_CHARACTERS = 2_000


def open_secrets(vault: Vault, row: Destination, moment: datetime) -> Secrets:
    """Return what an attempt at `moment` needs; raise SecretUnreadable, also when it is removed.

    The signing secret before the present one signs along until its overlap ends. An action
    has neither an address nor a signature.
    """
    opened = row_secrets.open_secrets(vault, row)
    target = find_target(row.kind)
    if target is not None and not target.has_address:
        return Secrets(url="", signing=())
    if not {URL, SIGNING} <= opened.keys():
        raise SecretUnreadable(
            f"The destination {row.id} was removed, so it has no address. Route to another one."
        )
    ends_at = row.previous_secret_expires_at
    signing = [opened[SIGNING]]
    if PREVIOUS in opened and ends_at is not None and moment < ends_at:
        signing.append(opened[PREVIOUS])
    values = {name: text for name, text in opened.items() if name not in _OWN}
    return Secrets(url=opened[URL], signing=tuple(signing), values=values)


def keep_entered(
    vault: Vault, row: Destination, target: Target, *, url: str, values: Mapping[str, str]
) -> list[str]:
    """Seal an address and the target's values; return the names of what changed, sorted.

    What is blank or left out keeps what is stored. Raises InvalidInput naming the field.
    """
    stored = row_secrets.open_secrets(vault, row)
    names = [item.name for item in target.fields]
    merged = {name: values.get(name, "").strip() or stored.get(name, "") for name in names}
    unknown = {name: text for name, text in values.items() if name not in merged}
    kept = {name: stored[name] for name in (SIGNING, PREVIOUS) if name in stored}
    kept[URL] = url.strip() or stored.get(URL, "")
    kept |= clean_values(target.label, target.fields, {**merged, **unknown})
    row_secrets.keep_secrets(vault, row, kept)
    row.url_host = host_of(kept[URL])
    return sorted(name for name in kept if kept[name] != stored.get(name))


def keep_signing_secret(vault: Vault, row: Destination, secret: str) -> None:
    """Make `secret` the signing secret; the one before is kept for the overlap."""
    opened = row_secrets.open_secrets(vault, row)
    if SIGNING in opened:
        opened[PREVIOUS] = opened[SIGNING]
    row_secrets.keep_secrets(vault, row, {**opened, SIGNING: secret})


def check_address(url: str, target: Target, settings: Settings) -> None:
    """Raise InvalidInput(field="url") unless `url` is an address of the target."""
    if not url:
        raise InvalidInput(f"The address is missing. {target.url_help}", field=URL)
    if len(url) > _MOST_CHARACTERS:
        raise InvalidInput(
            f"The address is too long. Enter at most {_MOST_CHARACTERS:,} characters.", field=URL
        )
    target.check_url(url, settings)


def host_of(url: str) -> str:
    """Return the part of an address that may be shown: host and port, never a password."""
    return urlsplit(url).netloc.rpartition("@")[2]
