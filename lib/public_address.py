"""The self-test of HUB_PUBLIC_URL, and the addresses that the environment sets."""

import hmac
import json
import secrets
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from lib import audit
from lib.access import Actor, require_staff
from lib.errors import ProviderError
from lib.http import VendorAnswer, VendorClient
from lib.hub import Hub
from lib.vault.self_proof import prove

Outcome = Literal["ourselves", "local", "dns", "tls", "refused", "timeout", "stranger"]
_SECONDS = 5.0
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_WORDS: dict[str, tuple[Outcome, str]] = {
    "tls": ("tls", "The certificate was not accepted. Renew it, or mend the proxy's chain."),
    "timeout": ("timeout", "Connected, but no answer came in time. Look at the proxy."),
    "connect timeout": ("timeout", "Nothing answered in time. Open the port in the firewall."),
}
_REFUSED = "The connection was refused. Start the receiver, or mend port and proxy."


@dataclass(frozen=True)
class AddressTest:
    """What happened; `seen_ip` is from where the receiver believes that it was asked."""

    outcome: Outcome
    message: str
    seen_ip: str = ""


@dataclass(frozen=True)
class EnvironmentValue:
    """A value of the environment: `is_set` tells it from the product's own, `line` sets it."""

    name: str
    value: str
    is_set: bool
    line: str


def probe_public_url(hub: Hub, actor: Actor) -> AddressTest:
    """Ask the public address's /healthz for a proof that only this hub gives; staff only."""
    require_staff(actor)
    with hub.database.write() as session:
        audit.record(session, actor, "public_url.tested", "public_url")
    parts = urlsplit(hub.settings.public_url)
    if not _resolves(parts.hostname, parts.port):
        return AddressTest(
            "dns", f"The name {parts.hostname} does not resolve. Set its DNS record."
        )
    nonce = secrets.token_hex(16)
    # The operator vouches for this address, which may well lead through the own network.
    with VendorClient(vouched_urls=(hub.settings.public_url,)) as client:
        try:
            url = f"{hub.settings.public_url}/healthz"
            answer = client.request("GET", url, params={"nonce": nonce}, read_seconds=_SECONDS)
        except ProviderError:
            return AddressTest(*_WORDS.get(client.calls[-1].error or "", ("refused", _REFUSED)))
    return _judge(hub, answer, nonce)


def list_environment(hub: Hub, actor: Actor) -> Sequence[EnvironmentValue]:
    """Return the addresses and networks that the environment sets; staff only."""
    require_staff(actor)
    settings = hub.settings
    names = ("public_url", "dashboard_url", "trusted_proxies", "allowed_private_networks")
    vendors = (name for name in type(settings).model_fields if name.endswith("_api_url"))
    return [_value(hub, name) for name in (*names, *vendors)]


def _resolves(host: str | None, port: int | None) -> bool:
    """Say whether the name is found in time; a look-up itself knows no limit."""
    # Not in a `with` block, which would wait for the look-up all the same.
    pool = ThreadPoolExecutor(1, "dns")
    try:
        pool.submit(socket.getaddrinfo, host, port).result(_SECONDS)
    except (OSError, TimeoutError):
        return False
    finally:
        pool.shutdown(wait=False)
    return True


def _judge(hub: Hub, answer: VendorAnswer, nonce: str) -> AddressTest:
    try:
        document = json.loads(answer.text)
    except ValueError:
        document = None
    found = document if isinstance(document, dict) else {}
    if not hmac.compare_digest(
        str(found.get("proof", "")).encode(), prove(hub.database, nonce).encode()
    ):
        return AddressTest(
            "stranger",
            f"Somebody else answered, with status {answer.status}. Point the proxy of this "
            "address at the receiver of this hub.",
        )
    seen = str(found.get("address", ""))
    if urlsplit(hub.settings.public_url).hostname in _LOCAL:
        return AddressTest(
            "local", "It reaches this hub, but from this machine alone. Set HUB_PUBLIC_URL.", seen
        )
    return AddressTest("ourselves", "It reaches this hub.", seen)


def _value(hub: Hub, name: str) -> EnvironmentValue:
    value = getattr(hub.settings, name)
    text = ", ".join(str(each) for each in value) if isinstance(value, tuple) else str(value or "")
    variable = f"HUB_{name.upper()}"
    # A password within an address is no business of the screen.
    shown = text if "@" not in text else "set, with credentials"
    line = f"{variable}={shown.replace(' ', '')}"
    return EnvironmentValue(variable, shown, name in hub.settings.model_fields_set, line)
