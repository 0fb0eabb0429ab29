"""Durations as mergeable histograms: four buckets to each doubling of the time."""

from collections.abc import Mapping
from math import floor, log2

LAST_BUCKET = 80
_PER_DOUBLING = 4


def bucket_of(milliseconds: float) -> int:
    """Return the bucket of a duration: 0 below one millisecond, 80 from about 13 minutes on."""
    if milliseconds < 1:
        return 0
    return min(LAST_BUCKET, 1 + floor(_PER_DOUBLING * log2(milliseconds)))


def upper_bound(bucket: int) -> float:
    """Return the milliseconds below which every duration of `bucket` lies."""
    return float(2 ** (bucket / _PER_DOUBLING))


def percentile(counts: Mapping[int, int], share: float) -> float | None:
    """Return the milliseconds that `share` (0 to 1) of the durations stay below.

    `counts` maps buckets to how many fell in; None when there are none.
    """
    wanted = share * sum(counts.values())
    seen = 0
    for bucket in sorted(counts):
        seen += counts[bucket]
        if seen >= wanted and counts[bucket]:
            return upper_bound(bucket)
    return None
