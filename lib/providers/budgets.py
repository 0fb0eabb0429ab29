"""How fast a vendor lets one of its accounts be called, as a provider declares it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Readings:
    """What an answer's headers say of an account's limits; None where they say nothing."""

    burst_limit: int | None = None
    burst_remaining: int | None = None
    daily_limit: int | None = None
    daily_remaining: int | None = None


@dataclass(frozen=True)
class Budget:
    """The published limits of an account, and in which headers its answers state them.

    They hold until the first answer says otherwise. Header names are lower case.
    """

    burst: int
    burst_seconds: float
    daily: int
    burst_limit_header: str
    burst_remaining_header: str
    daily_limit_header: str
    daily_remaining_header: str

    def read(self, headers: Mapping[str, str]) -> Readings:
        """Return what an answer's headers say; nonsense says nothing."""
        return Readings(
            burst_limit=_count(headers, self.burst_limit_header) or None,
            burst_remaining=_count(headers, self.burst_remaining_header),
            daily_limit=_count(headers, self.daily_limit_header) or None,
            daily_remaining=_count(headers, self.daily_remaining_header),
        )


def _count(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "").strip()
    # Nine digits fit the column.
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
