"""Calls to vendors: guarded, pooled, with timeouts, capped, redacted, without redirects."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Self, TypedDict, Unpack
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from lib.addresses import AddressRefused
from lib.errors import ProviderError
from lib.guarded_adapter import GuardedAdapter
from lib.settings import Network

CONNECT_SECONDS = 5
READ_SECONDS = 15
TOTAL_SECONDS = 30
MAX_ANSWER_BYTES = 1_048_576
MASKED_PATH = "/•••"
_CHUNK_BYTES = 65_536
# Cloudflare in front of vendor APIs refuses the names of HTTP libraries.
_USER_AGENT = "MembersHub/1.0"
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500


@dataclass(frozen=True)
class CallRecord:
    """One call as it may be stored: `path` without query and host."""

    method: str
    path: str
    status: int | None
    milliseconds: int
    error: str | None


@dataclass(frozen=True, repr=False)
class VendorAnswer:
    """What a vendor answered; `repr` hides the body, which can hold secrets.

    `text` is cut at 1 MiB; header names are lower case.
    """

    status: int
    headers: dict[str, str]
    text: str

    def json(self) -> Any:
        """Return the parsed body; raise a retryable ProviderError if it is not JSON."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            # The decoder's error carries the whole document, so it is not chained.
            fault = ProviderError(
                "The vendor's answer was not JSON. Check the API address, then try again later.",
                permanent=False,
                status=self.status,
            )
        raise fault

    def json_object(self) -> dict[str, Any]:
        """Return the parsed body if it is an object, else an empty one."""
        parsed = self.json()
        return parsed if isinstance(parsed, dict) else {}

    def raise_if_unavailable(self, label: str) -> None:
        """Raise a retryable ProviderError when the vendor is over a limit or out of order."""
        if self.status == _TOO_MANY_REQUESTS:
            message = f"{label} takes no more requests just now (429). Try again in a minute."
        elif self.status >= _SERVER_ERROR:
            message = f"{label} answered {self.status}, a fault on its side. Try again later."
        else:
            return
        raise ProviderError(message, permanent=False, status=self.status)


class CallOptions(TypedDict, total=False):
    """What a call may carry; `secret_path` keeps the path out of the record."""

    headers: Mapping[str, str]
    auth: tuple[str, str]
    params: Mapping[str, str]
    json: Any
    data: Mapping[str, str] | list[tuple[str, str]]
    secret_path: bool


def _new_session(allowed: Sequence[Network], vouched_urls: Sequence[str]) -> requests.Session:
    session = requests.Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, GuardedAdapter(allowed))
    for url in vouched_urls:
        # The slash ends the host: https://api.example.com is no prefix of its look-alikes.
        session.mount(f"{url}/", HTTPAdapter())
    # A proxy or a .netrc of the host would see, or replace, a member's credentials.
    session.trust_env = False
    session.headers["User-Agent"] = _USER_AGENT
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


@dataclass
class VendorClient:
    """Sends requests to vendors and remembers each in `calls` for the log.

    Addresses below `vouched_urls` are the operator's own; all others must be public, or in
    `allowed_networks`, at the moment of connecting. Use it as a context manager, or call
    `close`, so that pooled connections end.
    """

    allowed_networks: Sequence[Network] = ()
    vouched_urls: Sequence[str] = ()
    calls: list[CallRecord] = field(default_factory=list)
    _session: requests.Session = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Open the pool."""
        self._session = _new_session(self.allowed_networks, self.vouched_urls)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the pooled connections."""
        self._session.close()

    def request(self, method: str, url: str, **options: Unpack[CallOptions]) -> VendorAnswer:
        """Send one request and return whatever was answered, of any status.

        Raises ProviderError when no whole answer came: retryable, unless the address itself
        cannot be called.
        """
        path = MASKED_PATH if options.pop("secret_path", False) else urlsplit(url).path
        begun = time.monotonic()
        try:
            answer = self._send(method, url, options=options)
        except AddressRefused as error:
            word, fault = "refused address", ProviderError(error.message, permanent=True)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            # Its text repeats the URL, which is a secret for hooks: it is not chained either.
            word, fault = _explain(error)
        else:
            self._record(CallRecord(method, path, answer.status, _elapsed(begun), None))
            return answer
        self._record(CallRecord(method, path, None, _elapsed(begun), word))
        raise fault

    def _send(self, method: str, url: str, *, options: CallOptions) -> VendorAnswer:
        deadline = time.monotonic() + TOTAL_SECONDS
        with self._session.request(
            method,
            url,
            headers=options.get("headers"),
            auth=options.get("auth"),
            params=options.get("params"),
            json=options.get("json"),
            data=options.get("data"),
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            allow_redirects=False,
            stream=True,
        ) as response:
            body = _read_capped(response, deadline)
            headers = {name.lower(): value for name, value in response.headers.items()}
            return VendorAnswer(response.status_code, headers, body.decode("utf-8", "replace"))

    def _record(self, call: CallRecord) -> None:
        self.calls.append(call)


def _read_capped(response: requests.Response, deadline: float) -> bytes:
    body = bytearray()
    while len(body) < MAX_ANSWER_BYTES:
        # read1 returns after one read, so a slow drip cannot outlast the deadline.
        chunk = response.raw.read1(_CHUNK_BYTES, decode_content=True)
        if not chunk:
            break
        body += chunk
        if time.monotonic() > deadline:
            raise requests.ReadTimeout
    return bytes(body[:MAX_ANSWER_BYTES])


def _elapsed(begun: float) -> int:
    return round((time.monotonic() - begun) * 1000)


_FAULTS: tuple[tuple[tuple[type[Exception], ...], str, str], ...] = (
    (
        (requests.exceptions.SSLError, urllib3.exceptions.SSLError),
        "tls",
        "The vendor's certificate was not accepted. Check the address and this machine's clock "
        "and certificates.",
    ),
    (
        (requests.ConnectTimeout,),
        "connect timeout",
        f"The vendor could not be reached within {CONNECT_SECONDS} seconds. Check that this "
        "machine reaches the internet, then try again.",
    ),
    (
        (requests.Timeout, urllib3.exceptions.TimeoutError),
        "timeout",
        f"The vendor did not answer within {READ_SECONDS} seconds. Try again in a minute.",
    ),
    (
        (requests.ConnectionError, urllib3.exceptions.HTTPError),
        "connect",
        "No connection to the vendor. Check the address and that this machine reaches the "
        "internet, then try again.",
    ),
    (
        (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError),
        "broken answer",
        "The vendor's answer broke off. Try again in a minute.",
    ),
)


def _explain(error: Exception) -> tuple[str, ProviderError]:
    for kinds, word, sentence in _FAULTS:
        if isinstance(error, kinds):
            return word, ProviderError(sentence, permanent=False)
    return "invalid request", ProviderError(
        "The request could not be built. Check the address and the credentials for stray "
        "characters, then save them again.",
        permanent=True,
    )
