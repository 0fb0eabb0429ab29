"""What knows the HTTP library: one set of pooled connections, and what its errors mean."""

import ssl
import time
from collections.abc import Sequence
from http.cookiejar import DefaultCookiePolicy

import requests
import urllib3
from requests.adapters import HTTPAdapter

from lib import http
from lib.addresses import AddressRefused
from lib.errors import ProviderError
from lib.guarded_adapter import GuardedAdapter
from lib.http import CONNECT_SECONDS, READ_SECONDS, CallOptions, Failure, VendorAnswer
from lib.settings import Network

_CHUNK_BYTES = 65_536
# Cloudflare in front of vendor APIs refuses the names of HTTP libraries.
_USER_AGENT = "MembersHub/1.0"


class VendorSession:
    """Pooled connections, without cookies and without the host's proxies.

    Addresses below `vouched_urls` are the operator's own; all others are guarded.
    """

    def __init__(self, allowed: Sequence[Network], vouched_urls: Sequence[str]) -> None:
        self._session = requests.Session()
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, GuardedAdapter(allowed))
        for url in vouched_urls:
            # The slash ends the host: https://api.example.com is no prefix of its look-alikes.
            self._session.mount(f"{url}/", HTTPAdapter())
        # A proxy or a .netrc of the host would see, or replace, a member's credentials.
        self._session.trust_env = False
        self._session.headers["User-Agent"] = _USER_AGENT
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def close(self) -> None:
        """End the connections."""
        self._session.close()

    def send(self, method: str, url: str, *, options: CallOptions) -> VendorAnswer | Failure:
        """Send one request and return whatever was answered, or why nothing was."""
        try:
            return self._send(method, url, options=options)
        except AddressRefused as error:
            fault = ProviderError(error.message, permanent=True, is_unprocessed=True)
            return Failure("refused address", fault)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            # Its text repeats the URL, which is a secret for hooks: it is not chained either.
            return _explain(error)

    def _send(self, method: str, url: str, *, options: CallOptions) -> VendorAnswer:
        read_seconds = options.get("read_seconds", http.READ_SECONDS)
        deadline = time.monotonic() + max(http.TOTAL_SECONDS, read_seconds)
        with self._session.request(
            method,
            url,
            headers=options.get("headers"),
            auth=options.get("auth"),
            params=options.get("params"),
            json=options.get("json"),
            data=options.get("data"),
            timeout=(http.CONNECT_SECONDS, read_seconds),
            allow_redirects=False,
            stream=True,
        ) as response:
            body = _read_capped(response, deadline)
            headers = {name.lower(): value for name, value in response.headers.items()}
            return VendorAnswer(response.status_code, headers, body.decode("utf-8", "replace"))


def _read_capped(response: requests.Response, deadline: float) -> bytes:
    body = bytearray()
    while len(body) < http.MAX_ANSWER_BYTES:
        # read1 returns after one read, so a slow drip cannot outlast the deadline.
        chunk = response.raw.read1(_CHUNK_BYTES, decode_content=True)
        if not chunk:
            break
        body += chunk
        if time.monotonic() > deadline:
            raise requests.ReadTimeout
    return bytes(body[: http.MAX_ANSWER_BYTES])


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


def _explain(error: Exception) -> Failure:
    for kinds, word, sentence in _FAULTS:
        if isinstance(error, kinds):
            is_unprocessed = _is_before_sending(error)
            fault = ProviderError(sentence, permanent=False, is_unprocessed=is_unprocessed)
            return Failure(word, fault)
    fault = ProviderError(
        "The request could not be built. Check the address and the credentials for stray "
        "characters, then save them again.",
        permanent=True,
        is_unprocessed=True,
    )
    return Failure("invalid request", fault)


def _is_before_sending(error: Exception) -> bool:
    """Tell whether no connection came about, so that the vendor certainly got nothing.

    A connection that breaks off later raises the same classes of the library's.
    """
    if isinstance(error, requests.ConnectTimeout):
        return True
    cause = getattr(error.args[0] if error.args else None, "reason", None)
    if isinstance(cause, urllib3.exceptions.NewConnectionError):
        return True
    return isinstance(cause, urllib3.exceptions.SSLError) and any(
        isinstance(each, ssl.SSLCertVerificationError) for each in cause.args
    )
