"""The worker's end: a sender that hands its requests to a courier."""

import asyncio
import os
import socket
import sys
import time
from asyncio.subprocess import Process
from typing import NamedTuple, Self, cast

import structlog

from lib.courier.frames import FrameReader, pack_request, unpack_exchange
from lib.outgoing.exchange import NO_HTTP_TEXT, Exchange, Fault, OutgoingRequest, Timings
from lib.settings import Settings

log = structlog.get_logger()

# A courier keeps the time of its requests by itself; one that is later than this is stuck.
PATIENCE_SECONDS = 10.0
_LOOK_SECONDS = 1.0
# What Python, its libraries, the resolver and OpenSSL read, and the time zone of the log.
_NEEDED = frozenset({"PATH", "LANG", "TZ", "RES_OPTIONS", "LOCALDOMAIN", "LD_LIBRARY_PATH"})
_NEEDED_BEGINNINGS = ("PYTHON", "LC_", "SSL_CERT_", "VIRTUAL_ENV")
_END_SECONDS = 2.0
_LOST = Fault(
    "connect",
    "The process that sends ended before an answer came. The other side may have the request: "
    "look there before repeating it by hand.",
    was_sent=True,
)
_NO_TEXT = Fault("invalid_target", NO_HTTP_TEXT, was_sent=False)


class CourierSender:
    """Starts a courier with the first request, and another when one has ended.

    An async context manager. `total_seconds` bounds one exchange.
    """

    def __init__(
        self, settings: Settings, total_seconds: float, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self._orders = [str(total_seconds), *map(str, settings.allowed_private_networks)]
        self._longest_seconds = total_seconds + patience_seconds
        self._starting = asyncio.Lock()
        self._line: _Line | None = None

    async def __aenter__(self) -> Self:
        """Wait for the first request: a hub that sends nothing needs no courier."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the courier, and with it what is under way."""
        if self._line is not None:
            await self._line.close()

    async def post(self, request: OutgoingRequest) -> Exchange:
        """Send one POST and return what came of it."""
        line = self._line
        if line is None or line.is_closed:
            line = await self._open()
        return await line.ask(request)

    async def _open(self) -> "_Line":
        async with self._starting:
            if self._line is None or self._line.is_closed:
                self._line = await _start(self._orders, self._longest_seconds)
            return self._line


def _is_needed(name: str) -> bool:
    """Say whether a courier gets a variable; what is left out may hold a key or a password."""
    return name in _NEEDED or name.startswith(_NEEDED_BEGINNINGS)


async def _start(orders: list[str], longest_seconds: float) -> "_Line":
    ours, theirs = socket.socketpair()
    with theirs:
        number = theirs.fileno()
        command = [sys.executable, "-m", "lib.courier", str(number), *orders]
        environment = {name: value for name, value in os.environ.items() if _is_needed(name)}
        process = await asyncio.create_subprocess_exec(*command, pass_fds=[number], env=environment)
    line = _Line(process, longest_seconds)
    await asyncio.get_running_loop().create_unix_connection(lambda: line, sock=ours)
    log.info("courier_started", process=process.pid)
    return line


class _Asked(NamedTuple):
    """A request that has no answer yet, and when it was made."""

    answer: asyncio.Future[Exchange]
    at: float


class _Line(asyncio.Protocol):
    """The connection to one courier, and what it was asked and has not answered."""

    def __init__(self, process: Process, longest_seconds: float) -> None:
        self.is_closed = False
        self._process = process
        self._longest_seconds = longest_seconds
        self._loop = asyncio.get_running_loop()
        self._frames = FrameReader()
        self._asked: dict[int, _Asked] = {}
        self._last_number = 0
        self._transport: asyncio.WriteTransport
        self._next_look: asyncio.TimerHandle

    async def ask(self, request: OutgoingRequest) -> Exchange:
        """Return what came of a request; a courier that ends meanwhile makes it a fault."""
        self._last_number += 1
        number = self._last_number
        try:
            frame = pack_request(number, request)
        except TypeError:
            return Exchange(Timings(0.0), fault=_NO_TEXT)
        asked = self._asked[number] = _Asked(self._loop.create_future(), time.monotonic())
        self._transport.write(frame)
        try:
            return await asked.answer
        finally:
            del self._asked[number]

    async def close(self) -> None:
        """Let the courier end, which it does when it hears nothing more."""
        self._transport.close()
        try:
            async with asyncio.timeout(_END_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        self._look()

    def data_received(self, data: bytes) -> None:
        for document, body in self._frames.feed(data):
            number, exchange = unpack_exchange(document, body)
            asked = self._asked.get(number)
            if asked is not None and not asked.answer.done():
                asked.answer.set_result(exchange)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_closed = True
        self._next_look.cancel()
        lost = [asked for asked in self._asked.values() if not asked.answer.done()]
        if lost:
            log.warning("courier_lost", process=self._process.pid, requests=len(lost))
        for asked in lost:
            waited = (time.monotonic() - asked.at) * 1000
            asked.answer.set_result(Exchange(Timings(waited), fault=_LOST))

    def _look(self) -> None:
        """End a courier that is stuck; requests are in the order in which they were made."""
        first = next(iter(self._asked.values()), None)
        if first is not None and time.monotonic() - first.at > self._longest_seconds:
            log.error("courier_stuck", process=self._process.pid)
            self._process.kill()
        self._next_look = self._loop.call_later(_LOOK_SECONDS, self._look)
