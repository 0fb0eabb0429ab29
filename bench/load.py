"""A load generator: sends prepared HTTP requests over a fixed number of connections."""

import asyncio
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import uvloop

CONNECTIONS = 64
_HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True)
class Load:
    """What one run measured; times in milliseconds."""

    per_second: float
    p50: float
    p99: float


class _Connection(asyncio.Protocol):
    def __init__(self, run: "_Run") -> None:
        self._run = run
        self._buffer = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(_HEAD_END)
        if not end or len(body) < _content_length(head):
            return
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 204")):
            self._run.fail(self._buffer[:300])
            return
        self._run.times.append(time.perf_counter() - self._sent_at)
        self._buffer = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._run.finish_one()

    def _next(self) -> None:
        request = self._run.take()
        if request is None:
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)


class _Run:
    def __init__(self, requests: list[bytes]) -> None:
        self._requests = iter(requests)
        self._open = CONNECTIONS
        self.times: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def take(self) -> bytes | None:
        return next(self._requests, None)

    def fail(self, answer: bytes) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError(f"unexpected answer: {answer!r}"))

    def finish_one(self) -> None:
        self._open -= 1
        if self._open == 0 and not self.done.done():
            self.done.set_result(None)


async def send_all(port: int, requests: list[bytes]) -> Load:
    """Send every request once and return the rate and the latencies."""
    loop = asyncio.get_running_loop()
    run = _Run(requests)
    started = time.perf_counter()
    for _ in range(CONNECTIONS):
        await loop.create_connection(lambda: _Connection(run), "127.0.0.1", port)
    await run.done
    seconds = time.perf_counter() - started
    times = sorted(run.times)
    if len(times) != len(requests):
        raise RuntimeError(f"only {len(times)} of {len(requests)} requests were answered")
    return Load(
        len(times) / seconds,
        times[len(times) // 2] * 1000,
        times[int(len(times) * 0.99)] * 1000,
    )


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line[:15].lower() == b"content-length:":
            return int(line[15:])
    return 0


def main() -> None:
    """Send the requests of a file, which are delimited by their lengths; print JSON."""
    port, path, processor = int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    os.sched_setaffinity(0, {processor})
    data = path.read_bytes()
    requests, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4])
        requests.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    print(json.dumps(vars(uvloop.run(send_all(port, requests)))))


if __name__ == "__main__":
    main()
