"""Reading a request as it came: body under a cap, headers, the address that was called."""

import ipaddress
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from lib.errors import NotFound
from lib.providers.base import InboundRequest
from lib.settings import Network, Settings


class BodyTooLarge(Exception):
    """The body is larger than the hub takes; `announced` is its size if that was stated."""

    def __init__(self, announced: int | None) -> None:
        super().__init__()
        self.announced = announced


def read_headers(scope: Scope) -> dict[str, str]:
    """Return the headers under their lower-case names; of a repeated one the last counts."""
    return {str(name, "latin-1"): str(value, "latin-1") for name, value in scope["headers"]}


async def read_body(receive: Receive, headers: Mapping[str, str], *, most_bytes: int) -> bytes:
    """Return the raw body; raise BodyTooLarge, before reading where the size is announced.

    Raises ClientDisconnect when the rest never came.
    """
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most_bytes:
        raise BodyTooLarge(int(announced))
    chunks: list[bytes] = []
    size = 0
    has_more = True
    while has_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > most_bytes:
            raise BodyTooLarge(None)
        has_more = message.get("more_body", False)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def to_inbound(
    scope: Scope, settings: Settings, *, headers: Mapping[str, str], body: bytes
) -> InboundRequest:
    """Return the request for a provider, under the address that it called.

    The address comes from HUB_PUBLIC_URL alone, never from Host or X-Forwarded headers,
    which a stranger chooses. Raises NotFound for one that is spelt otherwise than they are.
    """
    path = scope["raw_path"].decode("utf-8", "replace").partition("?")[0]
    query = scope["query_string"].decode("utf-8", "replace")
    # A proxy may pass the public path prefix on or strip it; both are the same address.
    begin = path.find("/api/webhooks/")
    if begin < 0:
        # Only the decoded path has it: an address that was never given out.
        raise NotFound("There is no such address. Copy it again from the integration.")
    path = path[begin:]
    url = settings.public_url + path + ("?" + query if query else "")
    return InboundRequest(scope["method"], url, query, headers, body)


def client_address(scope: Scope, headers: Mapping[str, str], *, trusted: Sequence[Network]) -> str:
    """Return the sender's address; X-Forwarded-For counts from trusted proxies alone.

    The chain is walked from the nearest hop outwards and ends at the first address that is
    no trusted proxy, for everything further out can be invented.
    """
    client = scope["client"]
    peer: str = client[0] if client else ""
    if not trusted or not _is_in(peer, trusted):
        return peer
    hops = [hop.strip() for hop in headers.get("x-forwarded-for", "").split(",")]
    for hop in reversed([hop for hop in hops if hop]):
        if not _is_in(hop, trusted):
            return hop[:45]
        peer = hop
    return peer


def public_prefix(settings: Settings) -> str:
    """Return the path under which a proxy serves the hub, without a slash at its end."""
    return urlsplit(settings.public_url).path.rstrip("/")


def _is_in(host: str, networks: Sequence[Network]) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in networks)
