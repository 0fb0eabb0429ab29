"""Buckets of durations: small to keep, and a percentile that is never too low."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.histogram import bucket_of, percentile, upper_bound


@pytest.mark.parametrize(
    ("milliseconds", "bucket"),
    [(0, 0), (0.99, 0), (1, 1), (1.19, 2), (2, 5), (1000, 40), (60_000, 64), (1e9, 80)],
)
def test_a_duration_has_its_bucket(milliseconds: float, bucket: int) -> None:
    assert bucket_of(milliseconds) == bucket


@settings(deadline=None)
@given(st.lists(st.floats(0, 900_000), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_at_most_a_fifth_too_high(durations: list[float], share: float) -> None:
    counts: dict[int, int] = {}
    for duration in durations:
        counts[bucket_of(duration)] = counts.get(bucket_of(duration), 0) + 1
    found = percentile(counts, share)
    assert found is not None
    covered = sum(duration <= found * 1.0001 for duration in durations)
    assert covered >= share * len(durations) - 1e-6
    assert found <= max(1, max(durations)) * 2**0.25 * 1.0001


@settings(deadline=None)
@given(
    st.lists(st.floats(0, 900_000), min_size=1),
    st.lists(st.floats(0, 900_000)),
    st.floats(0.01, 1),
)
def test_merged_counts_have_the_percentile_of_all(
    first: list[float], second: list[float], share: float
) -> None:
    apart = [Counter(map(bucket_of, part)) for part in (first, second)]
    together = Counter(map(bucket_of, first + second))
    merged = apart[0] + apart[1]
    assert percentile(merged, share) == percentile(together, share)
    bounds = [each for part in apart if (each := percentile(part, share)) is not None]
    merged_bound = percentile(merged, share)
    assert merged_bound is not None
    assert min(bounds) <= merged_bound <= max(bounds)


def test_nothing_counted_has_no_percentile() -> None:
    assert percentile({}, 0.95) is None
    assert percentile({3: 0}, 0.95) is None
    assert percentile({0: 99, 40: 1}, 0.95) == upper_bound(0) == 1
