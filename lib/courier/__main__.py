"""Runs one courier: `python -m lib.courier SOCKET SECONDS [NETWORK…]`.

SOCKET is the number of an inherited descriptor that leads to the worker, SECONDS bounds one
exchange, and the networks may be sent to although they are not public.
"""

import asyncio
import signal
import socket
import sys
from collections.abc import Sequence
from functools import partial
from ipaddress import ip_network
from typing import cast

import structlog
import uvloop

from lib.collector import settle_collector
from lib.courier.frames import FrameReader, pack_exchange, unpack_request
from lib.log import configure_logging
from lib.outgoing.exchange import HUB_FAILED, Exchange, Fault, Sender, Timings
from lib.outgoing.hook_sender import HookSender

log = structlog.get_logger()

_BROKEN = Fault("config", HUB_FAILED, was_sent=True)


def main(arguments: Sequence[str]) -> None:
    """Send until the worker closes its end, or has ended."""
    configure_logging()
    # Whoever stops the hub stops the worker, which still waits for what is under way.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    settle_collector(10_000, 10, 10)
    uvloop.run(_serve(*arguments))


async def _serve(descriptor: str, total_seconds: str, *networks: str) -> None:
    allowed = [ip_network(network) for network in networks]
    async with HookSender(allowed, float(total_seconds)) as sender:
        service = _Service(sender)
        await asyncio.get_running_loop().create_unix_connection(
            lambda: service, sock=socket.socket(fileno=int(descriptor))
        )
        await service.closed.wait()


class _Service(asyncio.Protocol):
    """Sends what arrives, all at once, and says of each what came of it."""

    def __init__(self, sender: Sender) -> None:
        self.closed = asyncio.Event()
        self._sender = sender
        self._frames = FrameReader()
        self._tasks: set[asyncio.Task[Exchange]] = set()
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        for document, body in self._frames.feed(data):
            number, request = unpack_request(document, body)
            task = asyncio.create_task(self._sender.post(request))
            self._tasks.add(task)
            task.add_done_callback(partial(self._tell, number))

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()

    def _tell(self, number: int, task: asyncio.Task[Exchange]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            # Its text may repeat an address, which is a secret.
            log.error("send_failed", why=type(error).__name__)
        end = Exchange(Timings(0.0), fault=_BROKEN) if error else task.result()
        self._transport.write(pack_exchange(number, end))


if __name__ == "__main__":
    main(sys.argv[1:])
