"""A look at an installation: is everything there that the hub needs to run?"""

import stat
from collections.abc import Iterator
from dataclasses import dataclass

from lib.errors import HubError
from lib.health.report import read_stored
from lib.hub import Hub, open_hub
from lib.settings import Settings, load_settings
from lib.vault import rotation


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    subject: str
    is_good: bool
    text: str


def examine() -> Iterator[Finding]:
    """Yield what was found, from settings to worker; stop where the rest cannot be known."""
    try:
        settings = load_settings()
        yield Finding("settings", True, f"public address {settings.public_url}")
        yield _examine_key(settings)
        hub = open_hub(settings)
    except HubError as error:
        yield Finding("hub", False, error.message)
        return
    try:
        yield from _examine_hub(hub)
    finally:
        hub.close()


def _examine_key(settings: Settings) -> Finding:
    if settings.master_keys is not None:
        return Finding("key", True, "from HUB_MASTER_KEYS")
    path = settings.key_file
    if not path.exists():
        return Finding("key", False, f"{path} does not exist. Run `python -m lib.cli migrate`.")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return Finding("key", False, f"others may read {path}. Run `chmod 600 {path}`.")
    return Finding("key", True, f"{path}, mode {mode:04o}")


def _examine_hub(hub: Hub) -> Iterator[Finding]:
    yield Finding("canary", True, f"opens, key {hub.vault.sealing_key_id}")
    outdated = rotation.count_outdated(hub)
    text = f"{outdated} values under an older key. Run `python -m lib.cli keys rotate`."
    yield Finding("credentials", True, text if outdated else "all under the present key")
    for reading in read_stored(hub):
        text = f"{reading.text}. {reading.next_step}" if reading.next_step else reading.text
        yield Finding(reading.subject.lower(), reading.state != "bad", text)
