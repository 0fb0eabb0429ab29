"""How often the API may be called: per token, and per address whoever calls.

Each receiver process counts for itself, in memory.
"""

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from lib.errors import RateLimited

# Several tokens may work behind one address.
_TOKENS_PER_ADDRESS = 4


class Pace:
    """Counts requests on the event loop alone."""

    def __init__(self, per_minute: int) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._of_token = RateLimitItemPerMinute(per_minute)
        self._of_address = RateLimitItemPerMinute(per_minute * _TOKENS_PER_ADDRESS)

    def count_address(self, address: str) -> None:
        """Count a request from an address; raise RateLimited."""
        self._count(self._of_address, "address", address)

    def count_token(self, token_id: str) -> None:
        """Count a request with a token; raise RateLimited."""
        self._count(self._of_token, "token", token_id)

    def _count(self, limit: RateLimitItemPerMinute, kind: str, key: str) -> None:
        if self._limiter.hit(limit, kind, key):
            return
        ends_at = self._limiter.get_window_stats(limit, kind, key).reset_time
        seconds = max(1, math.ceil(ends_at - time.time()))
        raise RateLimited(
            f"This {kind} has sent {limit.amount} requests within a minute. Send the next one "
            f"in {seconds} second{'' if seconds == 1 else 's'}.",
            retry_after_seconds=seconds,
        )
