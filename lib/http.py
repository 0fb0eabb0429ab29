"""Calls to vendors' APIs: pooled, with timeouts, capped, redacted, without redirects."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

import requests

from lib.errors import ProviderError

CONNECT_SECONDS = 5
READ_SECONDS = 15
MAX_ANSWER_BYTES = 1_048_576


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
    """What a vendor answered; `repr` hides the body, which can hold secrets."""

    status: int
    headers: dict[str, str]
    text: str

    def json(self) -> Any:
        """Return the parsed body; raise a retryable ProviderError if it is not JSON."""
        try:
            return json.loads(self.text)
        except ValueError as error:
            raise ProviderError(
                "The vendor's answer was not JSON. Check the API address, then try again later.",
                permanent=False,
                status=self.status,
            ) from error


@dataclass
class VendorClient:
    """Sends requests to vendors and remembers each in `calls` for the log."""

    calls: list[CallRecord] = field(default_factory=list)
    _session: requests.Session = field(default_factory=requests.Session, repr=False)
