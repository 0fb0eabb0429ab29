"""Reading a request as it came: body under a cap, headers, the address that was called."""

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.requests import Request

from lib.providers.base import InboundRequest
from lib.settings import Network, Settings


class BodyTooLarge(Exception):
    """The body is larger than the hub takes; `announced` is its size if that was stated."""

    def __init__(self, announced: int | None) -> None:
        super().__init__()
        self.announced = announced


async def read_body(request: Request, most_bytes: int) -> bytes:
    """Return the raw body; raise BodyTooLarge, before reading where the size is announced."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most_bytes:
        raise BodyTooLarge(int(announced))
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most_bytes:
            raise BodyTooLarge(None)
        chunks.append(chunk)
    return b"".join(chunks)


def to_inbound(request: Request, body: bytes, settings: Settings) -> InboundRequest:
    """Return the request for a provider, under the address that it called.

    The address comes from HUB_PUBLIC_URL alone, never from Host or X-Forwarded headers,
    which a stranger chooses.
    """
    scope = request.scope
    path = scope["raw_path"].decode("utf-8", "replace").partition("?")[0]
    query = scope["query_string"].decode("utf-8", "replace")
    # A proxy may pass the public path prefix on or strip it; both are the same address.
    path = path[path.index("/api/webhooks/") :]
    url = settings.public_url + path + ("?" + query if query else "")
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return InboundRequest(method=request.method, url=url, query=query, headers=headers, body=body)


def client_address(request: Request, trusted: Sequence[Network]) -> str:
    """Return the sender's address; X-Forwarded-For counts from trusted proxies alone.

    The chain is walked from the nearest hop outwards and ends at the first address that is
    no trusted proxy, for everything further out can be invented.
    """
    peer = request.client.host if request.client else ""
    if not trusted or not _is_in(peer, trusted):
        return peer
    hops = [hop.strip() for hop in request.headers.get("x-forwarded-for", "").split(",")]
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
