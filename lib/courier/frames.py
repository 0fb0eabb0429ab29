"""The form in which requests, and what came of them, travel between worker and courier.

A frame is the lengths of its two parts, a JSON document, and the bytes of a body. Nothing in it
can name code to run: the courier talks to strangers.
"""

import struct
from collections.abc import Iterator
from dataclasses import astuple
from typing import Any

import orjson

from lib.outgoing.exchange import Exchange, Fault, OutgoingRequest, Timings
from lib.providers.targets import Reply

_LENGTHS = struct.Struct("<II")


class FrameReader:
    """Joins frames from the pieces in which they arrive."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[Any, bytes]]:
        """Yield the document and the body of each frame that `data` completes."""
        self._buffer += data
        begin = 0
        while len(self._buffer) - begin >= _LENGTHS.size:
            document_at = begin + _LENGTHS.size
            lengths = _LENGTHS.unpack_from(self._buffer, begin)
            body_at = document_at + lengths[0]
            end = body_at + lengths[1]
            if len(self._buffer) < end:
                break
            document = orjson.loads(self._buffer[document_at:body_at])
            yield document, bytes(self._buffer[body_at:end])
            begin = end
        del self._buffer[:begin]


def pack_request(number: int, request: OutgoingRequest) -> bytes:
    """Return the frame of a request; raise TypeError when a header or the URL is not Unicode."""
    return _pack((number, request.url, dict(request.headers)), request.body)


def unpack_request(document: Any, body: bytes) -> tuple[int, OutgoingRequest]:
    """Return what `pack_request` was given."""
    number, url, headers = document
    return number, OutgoingRequest(url, headers, body)


def pack_exchange(number: int, exchange: Exchange) -> bytes:
    """Return the frame of what came of the request with that number."""
    reply, fault = exchange.reply, exchange.fault
    document = (
        number,
        astuple(exchange.timings),
        (reply.status, reply.headers) if reply else None,
        astuple(fault) if fault else None,
        exchange.remote_address,
    )
    return _pack(document, reply.body if reply else b"")


def unpack_exchange(document: Any, body: bytes) -> tuple[int, Exchange]:
    """Return what `pack_exchange` was given."""
    number, timings, answer, fault, remote_address = document
    return number, Exchange(
        Timings(*timings),
        Reply(answer[0], answer[1], body) if answer else None,
        Fault(*fault) if fault else None,
        remote_address,
    )


def _pack(document: Any, body: bytes) -> bytes:
    packed = orjson.dumps(document)
    return b"".join((_LENGTHS.pack(len(packed), len(body)), packed, body))
