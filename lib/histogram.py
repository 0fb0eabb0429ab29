"""Durations in buckets that grow by a factor of 2**(1/4): small to keep, close enough to read."""

import math
from collections.abc import Mapping

LAST_BUCKET = 80


def bucket_of(milliseconds: float) -> int:
    """Return the bucket of a duration: 0 below 1 ms, four a doubling, 80 from 15 minutes on."""
    if milliseconds < 1:
        return 0
    return min(LAST_BUCKET, 1 + math.floor(4 * math.log2(milliseconds)))


def upper_bound(bucket: int) -> float:
    """Return the duration in milliseconds that ends a bucket."""
    return float(2 ** (bucket / 4))


def percentile(counts: Mapping[int, int], share: float) -> float | None:
    """Return the duration in milliseconds that `share` of the counts do not exceed.

    It is the end of a bucket, so up to a fifth too high; None when nothing was counted.
    """
    wanted = share * sum(counts.values())
    seen = 0
    for bucket in sorted(counts):
        seen += counts[bucket]
        if counts[bucket] and seen >= wanted:
            return upper_bound(bucket)
    return None
