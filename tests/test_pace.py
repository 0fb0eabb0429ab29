"""The rate budget of a destination."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.models import DestinationState
from lib.outgoing.pace import allowance, burst, free_at, refill, take
from lib.providers.targets import RateLimit

MOMENT = datetime(2026, 11, 25, 12, tzinfo=UTC)


def fresh(rate: RateLimit) -> DestinationState:
    return DestinationState(
        destination_id="dst_1",
        breaker="closed",
        failures_in_row=0,
        times_opened=0,
        tokens=burst(rate),
        refilled_at=MOMENT,
        window_started_at=MOMENT,
        window_count=0,
    )


def start_all(state: DestinationState, rate: RateLimit, moment: datetime) -> int:
    refill(state, rate, moment)
    count = allowance(state, rate)
    take(state, count)
    return count


def test_burst_of_one_second_then_the_average() -> None:
    rate = RateLimit(25)
    state = fresh(rate)
    assert start_all(state, rate, MOMENT) == 25
    assert start_all(state, rate, MOMENT) == 0
    assert start_all(state, rate, MOMENT + timedelta(milliseconds=200)) == 5
    assert start_all(state, rate, MOMENT + timedelta(minutes=1)) == 25, "rest is not saved up"


def test_slow_rate_starts_one_and_says_when_the_next_is_free() -> None:
    rate = RateLimit(0.5)
    state = fresh(rate)
    assert start_all(state, rate, MOMENT) == 1
    assert free_at(state, rate) == MOMENT + timedelta(seconds=2)
    assert start_all(state, rate, free_at(state, rate)) == 1


def test_five_minute_window_holds_until_it_turns() -> None:
    rate = RateLimit(25, per_five_minutes=30)
    state = fresh(rate)
    assert start_all(state, rate, MOMENT) == 25
    assert start_all(state, rate, MOMENT + timedelta(seconds=2)) == 5
    assert start_all(state, rate, MOMENT + timedelta(seconds=9)) == 0
    assert free_at(state, rate) == MOMENT + timedelta(minutes=5)
    assert start_all(state, rate, MOMENT + timedelta(minutes=5)) == 25


def test_clock_that_went_back_gives_nothing_away() -> None:
    rate = RateLimit(10)
    state = fresh(rate)
    start_all(state, rate, MOMENT)
    assert start_all(state, rate, MOMENT - timedelta(hours=1)) == 0


@given(
    per_second=st.floats(0.01, 1000),
    steps=st.lists(st.floats(0, 30), min_size=1, max_size=50),
)
def test_average_is_never_exceeded(per_second: float, steps: list[float]) -> None:
    rate = RateLimit(per_second)
    state = fresh(rate)
    moment, started = MOMENT, 0
    for step in steps:
        moment += timedelta(seconds=step)
        started += start_all(state, rate, moment)
    passed = (moment - MOMENT).total_seconds()
    assert started <= burst(rate) + passed * per_second + 1e-3


@pytest.mark.parametrize("per_second", [0.01, 0.3, 1, 7, 30, 1000])
def test_what_is_said_to_be_free_is_free(per_second: float) -> None:
    rate = RateLimit(per_second)
    state = fresh(rate)
    start_all(state, rate, MOMENT)
    assert start_all(state, rate, free_at(state, rate)) >= 1
