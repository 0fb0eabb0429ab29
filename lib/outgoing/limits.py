"""How fast and how much at once a destination is sent to."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.errors import InvalidInput
from lib.models import Destination
from lib.providers.registry import find_target
from lib.providers.targets import RateLimit

SLOWEST, FASTEST = 0.01, 1_000.0
MOST_IN_FIVE_MINUTES = 300_000
MOST_CONCURRENCY = 100


@dataclass(frozen=True)
class Limits:
    """What holds for one destination; no rate means that nothing but its answers slows it."""

    rate: RateLimit | None
    concurrency: int


def limits_of(row: Destination) -> Limits:
    """Return a destination's own limits; where it has none, those of its kind."""
    kept = row.config_data.get("rate_limit")
    target = find_target(row.kind)
    rate = RateLimit(**kept) if kept else target.rate_limit if target else None
    concurrency = target.concurrency if target else 1
    return Limits(rate, int(row.config_data.get("concurrency", concurrency)))


def stored_limits(rate_limit: Mapping[str, Any] | None, concurrency: int | None) -> dict[str, Any]:
    """Return checked limits as `config_data` keeps them; raise InvalidInput naming the field.

    None leaves a limit to the kind of destination.
    """
    kept: dict[str, Any] = {}
    if rate_limit:
        kept["rate_limit"] = _check_rate(rate_limit)
    if concurrency is not None:
        if not _is_whole(concurrency) or not 1 <= concurrency <= MOST_CONCURRENCY:
            raise InvalidInput(
                f"Send 1 to {MOST_CONCURRENCY} requests at once.", field="concurrency"
            )
        kept["concurrency"] = concurrency
    return kept


def _check_rate(given: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(given, Mapping) or not given.keys() <= {"per_second", "per_five_minutes"}:
        raise _refusal("Give a rate limit as per_second and, if needed, per_five_minutes.")
    per_second = given.get("per_second")
    if (
        isinstance(per_second, bool)
        or not isinstance(per_second, int | float)
        or not math.isfinite(per_second)
        or not SLOWEST <= per_second <= FASTEST
    ):
        raise _refusal(f"Send {SLOWEST} to {FASTEST:,.0f} requests per second.")
    checked: dict[str, Any] = {"per_second": float(per_second)}
    window = given.get("per_five_minutes")
    if window is not None:
        if not _is_whole(window) or not 1 <= window <= MOST_IN_FIVE_MINUTES:
            raise _refusal(f"Send 1 to {MOST_IN_FIVE_MINUTES:,} requests in five minutes.")
        checked["per_five_minutes"] = window
    return checked


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _refusal(message: str) -> InvalidInput:
    return InvalidInput(message, field="rate_limit")
