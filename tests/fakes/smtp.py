"""A small SMTP server: STARTTLS, AUTH PLAIN, one mailbox; it can hang, refuse, or be slow."""

import asyncio
import base64
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Mailbox:
    """What the server took, and how it behaves."""

    port: int = 0
    user: str = ""
    password: str = ""
    tls: ssl.SSLContext | None = None
    hangs: bool = False
    recipient_code: int = 250
    mails: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    were_encrypted: list[bool] = field(default_factory=list)


@contextmanager
def smtp_server(box: Mailbox) -> Iterator[Mailbox]:
    """Serve `box` on a free loopback port for the length of the block."""
    started = threading.Event()
    stops: list[Callable[[], None]] = []

    async def serve() -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        stops.append(lambda: loop.call_soon_threadsafe(stop.set) and None)
        server = await asyncio.start_server(lambda r, w: _serve(box, r, w), "127.0.0.1", 0)
        box.port = server.sockets[0].getsockname()[1]
        started.set()
        await stop.wait()
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield box
    finally:
        stops[0]()
        thread.join(10)


async def _serve(box: Mailbox, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        if box.hangs:
            await asyncio.sleep(3600)
        await _talk(box, reader, writer)
    except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
        pass
    except asyncio.CancelledError:
        # The test is over; asyncio's own callback would report it.
        pass
    finally:
        writer.transport.abort()


async def _talk(box: Mailbox, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    is_encrypted = False
    _say(writer, "220 fake")
    while line := (await reader.readline()).decode().strip():
        command, _, rest = line.partition(" ")
        match command.upper():
            case "EHLO":
                _say(writer, "250-fake", *_offers(box, is_encrypted), "250 8BITMIME")
            case "STARTTLS":
                _say(writer, "220 go")
                assert box.tls
                await writer.start_tls(box.tls)
                is_encrypted = True
            case "AUTH":
                _say(writer, _judge(box, rest))
            case "RCPT":
                box.recipients.append(rest.partition(":")[2].strip("<>"))
                _say(writer, f"{box.recipient_code} recipient")
            case "DATA":
                _say(writer, "354 go on")
                box.mails.append((await reader.readuntil(b"\r\n.\r\n"))[:-5])
                box.were_encrypted.append(is_encrypted)
                _say(writer, "250 taken")
            case "QUIT":
                _say(writer, "221 bye")
                return
            case _:
                _say(writer, "250 fine")
        await writer.drain()


def _offers(box: Mailbox, is_encrypted: bool) -> list[str]:
    starttls = ["250-STARTTLS"] if box.tls and not is_encrypted else []
    return [*starttls, *(["250-AUTH PLAIN"] if box.user else [])]


def _judge(box: Mailbox, rest: str) -> str:
    _, user, password = base64.b64decode(rest.partition(" ")[2]).decode().split("\0")
    good = (user, password) == (box.user, box.password)
    return "235 welcome" if good else f"535 no such password {password}"


def _say(writer: asyncio.StreamWriter, *lines: str) -> None:
    writer.write("".join(f"{line}\r\n" for line in lines).encode())
