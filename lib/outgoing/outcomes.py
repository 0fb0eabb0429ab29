"""Which ends of a delivery count as success, and how large their part is."""

from collections.abc import Mapping

ARRIVED = ("delivered", "accepted")
_DECIDED = (*ARRIVED, "dead")


def success_share(counts: Mapping[str, int]) -> float | None:
    """Return which part of what was decided arrived, by counts of outcomes; None without any."""
    decided = sum(counts.get(name, 0) for name in _DECIDED)
    return sum(counts.get(name, 0) for name in ARRIVED) / decided if decided else None
