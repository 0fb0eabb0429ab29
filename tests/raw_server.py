"""A server that answers byte by byte what a test wants, over TCP or TLS, in a thread of its own."""

import asyncio
import re
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]
_CLOSED, _TURNS = -1, 200
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\ncontent-type: text/plain\r\n\r\nAccepted"


@dataclass
class RawServer:
    """What reached the server: connections, server names of TLS, heads and bodies."""

    port: int = 0
    connections: int = 0
    server_names: list[str | None] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)


def send(*parts: bytes) -> Answer:
    """Return an answer that writes `parts` and keeps the connection."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()

    return answer


@contextmanager
def serving(answer: Answer, *, tls: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    """Serve `answer` to every request on a free loopback port."""
    server = RawServer()
    if tls is not None:
        tls.sni_callback = lambda _socket, name, _context: server.server_names.append(name)
    started: Future[Callable[[], object]] = Future()
    thread = threading.Thread(
        target=lambda: asyncio.run(_serve(server, answer, tls=tls, started=started)), daemon=True
    )
    thread.start()
    stop = started.result(10)
    try:
        yield server
    finally:
        stop()
        thread.join(10)


async def _serve(
    server: RawServer,
    answer: Answer,
    *,
    tls: ssl.SSLContext | None,
    started: "Future[Callable[[], object]]",
) -> None:
    writers: list[asyncio.StreamWriter] = []
    sockets: list[asyncio.trsock.TransportSocket] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        writers.append(writer)
        sockets.append(writer.get_extra_info("socket"))
        try:
            if tls is not None:
                await writer.start_tls(tls)
            while await _read_request(reader, server):
                await answer(writer)
                if writer.is_closing():
                    break
        except (OSError, asyncio.IncompleteReadError):
            # The client went away, or does not trust the certificate.
            pass
        finally:
            writer.transport.abort()

    listener = await asyncio.start_server(handle, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    started.set_result(lambda: loop.call_soon_threadsafe(stopping.set))
    await stopping.wait()
    listener.close()
    # A connection may be accepted already and have no writer yet.
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        for writer in writers:
            writer.transport.abort()
        await asyncio.wait(others, timeout=0.05)
    # The aborted transports let go of their sockets in the next turns, on a busy machine later.
    for _ in range(_TURNS):
        if all(each.fileno() == _CLOSED for each in sockets):
            break
        await asyncio.sleep(0.01)


async def _read_request(reader: asyncio.StreamReader, server: RawServer) -> bool:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    except asyncio.IncompleteReadError:
        return False
    stated = re.search(r"\r\ncontent-length: ([0-9]+)\r\n", head)
    body = await reader.readexactly(int(stated[1]) if stated else 0)
    server.heads.append(head)
    server.bodies.append(body)
    return True
