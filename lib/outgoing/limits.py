"""How fast a destination may be called."""

from dataclasses import dataclass

from lib.models import Destination
from lib.providers.targets import RateLimit

DEFAULT_CONCURRENCY = 50


@dataclass(frozen=True)
class Limits:
    """The most requests per time, None for any number, and the most at the same time."""

    rate: RateLimit | None
    concurrency: int


def limits_of(row: Destination) -> Limits:
    """Return the limits of a destination as they are stored."""
    rate = row.config_data.get("rate_limit")
    return Limits(
        rate=RateLimit(rate["per_second"], rate.get("per_five_minutes")) if rate else None,
        concurrency=row.config_data.get("concurrency", DEFAULT_CONCURRENCY),
    )
