"""Connections that deliveries may open: every address is checked, and every step is timed."""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Literal

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import AddrInfoType, Connection

from lib.addresses import AddressRefused, check_address
from lib.outgoing.exchange import Timings
from lib.settings import Network

if TYPE_CHECKING:
    from aiohttp.client_reqrep import ClientRequest
    from aiohttp.tracing import Trace

Step = Literal["build", "dns", "connect", "tls", "sent"]
_DNS_CACHE_SECONDS = 5
# A name server that hangs holds a thread, and must not hold those of the database.
_DNS_THREADS = 128


@dataclass(slots=True)
class Marks:
    """When the steps of one request began, and where it went.

    On a kept connection `connected_at` alone is set.
    """

    begun_at: float = field(default_factory=perf_counter)
    connecting_at: float | None = None
    dialing_at: float | None = None
    tls_at: float | None = None
    connected_at: float | None = None
    answered_at: float | None = None
    has_name: bool = True
    remote_address: str | None = None
    refusal: AddressRefused | None = None

    @property
    def step(self) -> Step:
        """The step that the request is in, or failed in."""
        if self.connected_at is not None:
            return "sent"
        if self.tls_at is not None:
            return "tls"
        if self.dialing_at is not None:
            return "connect"
        return "build" if self.connecting_at is None else "dns"

    def timings(self) -> Timings:
        """Return how long the finished steps took; the end is now."""
        looked_up_at = self.connecting_at if self.has_name else None
        return Timings(
            total_ms=(perf_counter() - self.begun_at) * 1000,
            dns_ms=_span(looked_up_at, self.dialing_at),
            connect_ms=_span(self.dialing_at, self.tls_at or self.connected_at),
            tls_ms=_span(self.tls_at, self.connected_at),
            first_byte_ms=_span(self.connected_at, self.answered_at),
        )


_MARKS: ContextVar[Marks] = ContextVar("marks")


def begin_marks() -> Marks:
    """Return the marks of a new request, which its connection will find in the context."""
    marks = Marks()
    _MARKS.set(marks)
    return marks


class GuardedConnector(aiohttp.TCPConnector):
    """Opens connections to public addresses and to those in `allowed` networks.

    Names are checked where they are resolved, and each address again where its socket is made:
    the second check also sees literal addresses, and what a name turned into meanwhile. The
    number of connections is the caller's business.
    """

    def __init__(self, allowed: Sequence[Network]) -> None:
        self._allowed = allowed
        self._names = _GuardedResolver(allowed)
        super().__init__(
            resolver=self._names,
            socket_factory=self._open_socket,
            ssl=_new_tls_context(),
            limit=0,
            # Deliveries to one host that start together share one look-up.
            ttl_dns_cache=_DNS_CACHE_SECONDS,
        )

    async def connect(
        self,
        req: "ClientRequest",
        traces: "list[Trace]",
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the signature is aiohttp's
    ) -> Connection:
        """Return a kept or new connection, and note how it came to be."""
        marks = _MARKS.get()
        marks.connecting_at = perf_counter()
        marks.has_name = not aiohttp.helpers.is_ip_address(req.url.raw_host)
        connection = await super().connect(req, traces=traces, timeout=timeout)
        marks.connected_at = perf_counter()
        if connection.transport is not None:
            peer = connection.transport.get_extra_info("peername")
            marks.remote_address = peer[0] if peer else None
        return connection

    async def close(self, *, abort_ssl: bool = False) -> None:
        """End the connections and let go of the look-ups under way."""
        await super().close(abort_ssl=abort_ssl)
        await self._names.close()

    def _open_socket(self, info: AddrInfoType) -> socket.socket:
        marks = _MARKS.get()
        if marks.dialing_at is None:
            marks.dialing_at = perf_counter()
        family, kind, protocol, _, address = info
        try:
            check_address(str(address[0]), self._allowed)
        except AddressRefused as error:
            marks.refusal = error
            # aiohttp passes only errors of the operating system on, whichever address fails.
            raise PermissionError("refused") from None
        return socket.socket(family, kind, protocol)


class _GuardedResolver(AbstractResolver):
    """Resolves names in threads of its own and refuses those with any blocked address."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        self._allowed = allowed
        self._threads = ThreadPoolExecutor(_DNS_THREADS, "dns")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of `host`; raise AddressRefused if one of them is blocked."""
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, _look_up, host, port, family
        )
        for item in found:
            check_address(item["host"], self._allowed)
        return found

    async def close(self) -> None:
        """Start no further look-up."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
    return [
        ResolveResult(
            hostname=host,
            host=str(address[0]),
            port=port,
            family=found,
            proto=protocol,
            flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
        )
        for found, _, protocol, _, address in socket.getaddrinfo(
            host, port, family, socket.SOCK_STREAM
        )
    ]


class _TimedTlsContext(ssl.SSLContext):
    """Notes when the handshake begins."""

    # The signature is the standard library's; nothing of it is read here.
    def wrap_bio(self, *args: object, **options: object) -> ssl.SSLObject:
        _MARKS.get().tls_at = perf_counter()
        return super().wrap_bio(*args, **options)  # type: ignore[arg-type] # see above


def _new_tls_context() -> ssl.SSLContext:
    # This protocol checks certificates and host names unless told otherwise.
    context = _TimedTlsContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _span(begun_at: float | None, ended_at: float | None) -> float | None:
    if begun_at is None or ended_at is None:
        return None
    return (ended_at - begun_at) * 1000
