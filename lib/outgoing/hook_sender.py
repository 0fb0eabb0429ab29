"""Sends one request to an address that a member entered: guarded, capped, timed, silent about it.

Addresses are secrets, and the HTTP library repeats them in its exceptions: none of those is
logged, chained or quoted.
"""

import asyncio
import io
import zlib
from collections.abc import Sequence
from time import perf_counter
from typing import Self

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from lib.addresses import AddressRefused, check_url
from lib.outgoing.connector import GuardedConnector, Marks, begin_marks
from lib.outgoing.exchange import KEPT_BODY_BYTES, NO_HTTP_TEXT, Exchange, Fault, OutgoingRequest
from lib.providers.targets import Reply
from lib.providers.text import clean_text
from lib.settings import Network

TOTAL_SECONDS = 30
CONNECT_SECONDS = 10
_KEPT_HEADER_BYTES = 16_384
_KEPT_VALUE_CHARACTERS = 4_096
_MOST_HEADERS = 100
_MOST_CHECKED = 1_000
# aiohttp warns of longer bytes, which it writes in one go.
_ONE_WRITE_BYTES = 262_144
_COMPRESSED = frozenset({"gzip", "x-gzip", "deflate"})
# zlib's number for "zlib or gzip, whichever the data begins with".
_ANY_WINDOW = 47

_NO_CONNECTION = {
    "build": Fault(
        "invalid_target",
        "The request could not be built. Enter the destination's address and values again.",
        was_sent=False,
    ),
    "dns": Fault(
        "dns",
        "The host name did not resolve. Check the destination's address and this machine's name "
        "servers.",
        was_sent=False,
    ),
    "connect": Fault(
        "connect",
        f"No connection within {CONNECT_SECONDS} seconds, or it was refused. Check that the other "
        "side runs and that its firewall lets the hub in.",
        was_sent=False,
    ),
    "tls": Fault(
        "tls",
        "No trusted TLS connection. Check the other side's certificate: its names, its end date, "
        "and that its chain is complete.",
        was_sent=False,
    ),
}
_BROKEN_OFF = Fault(
    "connect",
    "The connection broke before a whole answer came. The other side may have the request: look "
    "there before repeating it by hand.",
    was_sent=True,
)
_NOT_HTTP = Fault(
    "connect",
    "The answer was not HTTP, or its headers are too long or too many. Check what listens at the "
    "destination's address.",
    was_sent=True,
)
_UNSENDABLE = Fault(
    "invalid_target",
    NO_HTTP_TEXT,
    was_sent=True,
)


class HookSender:
    """Sends requests over kept connections; an async context manager.

    No redirect is followed, no cookie kept, no proxy or .netrc of the environment used.
    `total_seconds` bounds one exchange from look-up to the last byte that is kept.
    """

    def __init__(
        self, allowed_networks: Sequence[Network], total_seconds: float = TOTAL_SECONDS
    ) -> None:
        self._allowed = allowed_networks
        self._total_seconds = total_seconds
        self._checked: set[str] = set()

    async def __aenter__(self) -> Self:
        """Open the pool of connections."""
        self._session = aiohttp.ClientSession(
            connector=GuardedConnector(self._allowed),
            cookie_jar=aiohttp.DummyCookieJar(),
            # A small body can unpack to gigabytes; what is kept is unpacked under the cap.
            auto_decompress=False,
            headers={"accept-encoding": "identity"},
            timeout=aiohttp.ClientTimeout(
                total=None, connect=min(CONNECT_SECONDS, self._total_seconds)
            ),
            trust_env=False,
            max_headers=_MOST_HEADERS,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection."""
        await self._session.close()

    async def post(self, request: OutgoingRequest) -> Exchange:
        """Send one POST and return what came of it; the network never raises here.

        A whole answer, up to the cap, makes a reply; one that breaks off or drips past the
        total time is a fault, whatever its status was.
        """
        marks = begin_marks()
        reply, fault = None, None
        try:
            self._check(request.url)
            async with asyncio.timeout(self._total_seconds):
                reply = await self._exchange(request, marks)
        except AddressRefused as error:
            marks.refusal = error
            fault = self._explain(error, marks)
        except (aiohttp.ClientError, HttpProcessingError, OSError, ValueError) as error:
            fault = self._explain(error, marks)
        return Exchange(marks.timings(), reply, fault, marks.remote_address)

    def _check(self, url: str) -> None:
        """Refuse a URL by its form, once; where it leads is checked at each connection."""
        if url in self._checked:
            return
        check_url(url, self._allowed)
        if len(self._checked) >= _MOST_CHECKED:
            self._checked.clear()
        self._checked.add(url)

    async def _exchange(self, request: OutgoingRequest, marks: Marks) -> Reply:
        is_short = len(request.body) <= _ONE_WRITE_BYTES
        async with self._session.post(
            request.url,
            data=request.body if is_short else io.BytesIO(request.body),
            headers=request.headers,
            allow_redirects=False,
        ) as response:
            marks.answered_at = perf_counter()
            body = await _read_start(response)
            encoding = response.headers.get("content-encoding", "").strip().lower()
            return Reply(
                response.status,
                _keep_headers(response),
                _unpack(body) if encoding in _COMPRESSED else body,
            )

    def _explain(self, error: Exception, marks: Marks) -> Fault:
        if marks.refusal is not None:
            return Fault("invalid_target", marks.refusal.message, was_sent=False)
        if marks.step != "sent":
            return _NO_CONNECTION[marks.step]
        if isinstance(error, TimeoutError):
            return Fault(
                "timeout",
                f"No whole answer within {self._total_seconds:g} seconds. Let the other side "
                "answer first and work afterwards.",
                was_sent=True,
            )
        if isinstance(error, (HttpProcessingError, aiohttp.ClientResponseError)):
            return _NOT_HTTP
        if isinstance(error, (aiohttp.ClientError, OSError)):
            return _BROKEN_OFF
        return _UNSENDABLE


async def _read_start(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    while chunk := await response.content.readany():
        body += chunk
        if len(body) > KEPT_BODY_BYTES:
            # The rest would have to be read before the connection could be kept.
            response.close()
            break
    return bytes(body[:KEPT_BODY_BYTES])


def _unpack(body: bytes) -> bytes:
    """Return the start of what `body` holds packed, or `body` itself if it is not that."""
    try:
        return zlib.decompressobj(_ANY_WINDOW).decompress(body, KEPT_BODY_BYTES)
    except zlib.error:
        return body


def _keep_headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    """Return the headers that fit the cap, in storable text; the last of a repeated one counts."""
    kept: dict[str, str] = {}
    room = _KEPT_HEADER_BYTES
    for name, value in response.headers.items():
        text = clean_text(value, _KEPT_VALUE_CHARACTERS) or ""
        room -= len(name) + len(text)
        if room < 0:
            break
        kept[name.lower()] = text
    return kept
