"""Calls to vendors: guarded, pooled, with timeouts, capped, redacted, without redirects.

Every process loads this with the providers, and the receiver never calls a vendor: what
knows the HTTP library is loaded with the first call.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, TypedDict, Unpack
from urllib.parse import urlsplit

from lib.errors import ProviderError
from lib.settings import Network

if TYPE_CHECKING:
    from lib.http_session import VendorSession

CONNECT_SECONDS = 5
READ_SECONDS = 15
TOTAL_SECONDS = 30
MAX_ANSWER_BYTES = 1_048_576
MASKED_PATH = "/•••"
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
    """What a call may carry; `secret_path` keeps the path out of the record.

    `read_seconds` is for the few calls that a vendor holds open on purpose.
    """

    headers: Mapping[str, str]
    auth: tuple[str, str]
    params: Mapping[str, str]
    json: Any
    data: Mapping[str, str] | list[tuple[str, str]]
    secret_path: bool
    read_seconds: float


@dataclass(frozen=True)
class Failure:
    """Why no whole answer came: a word for the log, and the error for whoever called."""

    word: str
    error: ProviderError


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
    _session: "VendorSession | None" = field(default=None, repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the pooled connections."""
        if self._session is not None:
            self._session.close()

    def request(self, method: str, url: str, **options: Unpack[CallOptions]) -> VendorAnswer:
        """Send one request and return whatever was answered, of any status.

        Raises ProviderError when no whole answer came: retryable, unless the address itself
        cannot be called.
        """
        path = MASKED_PATH if options.pop("secret_path", False) else urlsplit(url).path
        begun = time.monotonic()
        outcome = self._open().send(method, url, options=options)
        milliseconds = round((time.monotonic() - begun) * 1000)
        if isinstance(outcome, VendorAnswer):
            self.calls.append(CallRecord(method, path, outcome.status, milliseconds, None))
            return outcome
        self.calls.append(CallRecord(method, path, None, milliseconds, outcome.word))
        raise outcome.error

    def _open(self) -> "VendorSession":
        from lib.http_session import VendorSession

        if self._session is None:
            self._session = VendorSession(self.allowed_networks, self.vouched_urls)
        return self._session
