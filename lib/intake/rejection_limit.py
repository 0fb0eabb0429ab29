"""How many refused requests are kept: enough to see what is wrong, never enough to flood."""

from collections import Counter

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

MOST_KEPT = 1_000
_PER_MINUTE = RateLimitItemPerMinute(60)


class RejectionLimit:
    """Decides per integration whether a refused request is kept, and counts those that are not."""

    def __init__(self) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._not_kept: Counter[str] = Counter()

    def admit(self, integration_id: str) -> int | None:
        """Return how many were not kept since the last kept one, or None to keep this not."""
        if not self._limiter.hit(_PER_MINUTE, integration_id):
            self._not_kept[integration_id] += 1
            return None
        return self._not_kept.pop(integration_id, 0)
