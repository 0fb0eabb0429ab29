"""The learned rhythm: when a silence is alarming, and when it must not be."""

import math
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from lib.alerts.rhythm import (
    HOUR,
    LEAST_EXPECTED,
    WEEK,
    Rhythm,
    find_silence,
    hour_of_week,
    learn,
)

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def _office(weeks: int, *, rate: int = 12, start: datetime = MONDAY) -> dict[datetime, int]:
    """Return events on weekdays from 8 to 18."""
    hours = (start + each * HOUR for each in range(weeks * 168))
    return {hour: rate for hour in hours if hour.weekday() < 5 and 8 <= hour.hour < 18}


def _learned(counts: dict[datetime, int]) -> Rhythm:
    rhythm = learn(counts)
    assert rhythm
    return rhythm


def test_a_silence_in_office_hours_is_told_in_words() -> None:
    counts = _office(5)
    wednesday = MONDAY + 5 * WEEK + timedelta(days=2)
    counts |= _office(1, start=MONDAY + 5 * WEEK)
    counts = {hour: n for hour, n in counts.items() if hour < wednesday + 9 * HOUR}
    silence = find_silence(_learned(counts), wednesday + 12 * HOUR)
    assert silence
    assert silence.is_alarming
    assert silence.probability < 0.01
    assert silence.rhythm_words == "usually 12 an hour on Wednesdays at 9 (UTC)"


def test_nights_and_weekends_are_no_silence() -> None:
    rhythm = _learned(_office(5))
    friday_evening = MONDAY + 4 * WEEK + timedelta(days=4, hours=18)
    assert rhythm.last_hour == friday_evening - HOUR
    for hours in range(1, 62):
        silence = find_silence(rhythm, friday_evening + hours * HOUR)
        assert silence
        assert not silence.is_alarming


def test_a_changed_clock_raises_no_alarm_in_the_first_hour() -> None:
    # In spring a sender's day begins an hour earlier in UTC, in autumn an hour later.
    rhythm = _learned(_office(5))
    next_monday = MONDAY + 5 * WEEK
    in_autumn = find_silence(rhythm, next_monday + 9 * HOUR)
    assert in_autumn
    assert not in_autumn.is_alarming


def test_a_holiday_does_not_change_what_is_usual() -> None:
    holiday = {h: n for h, n in _office(5).items() if h.date() != (MONDAY + WEEK).date()}
    usual = _learned(holiday).usual
    assert usual[hour_of_week(MONDAY + 10 * HOUR)] >= 9


def test_one_burst_does_not_become_the_custom() -> None:
    counts = {MONDAY + week * WEEK: 1 for week in range(5)} | {MONDAY + 3 * HOUR: 6_000}
    assert _learned(counts).usual[hour_of_week(MONDAY + 3 * HOUR)] < 1


def test_less_than_two_weeks_say_nothing() -> None:
    counts = {MONDAY + each * HOUR: 50 for each in range(13 * 24)}
    assert find_silence(_learned(counts), MONDAY + timedelta(days=20)) is None


def test_no_event_has_no_rhythm() -> None:
    assert learn({MONDAY: 0}) is None


def test_a_long_silence_costs_no_more_than_a_week() -> None:
    rhythm = _learned(_office(5))
    after_a_week = find_silence(rhythm, rhythm.last_hour + HOUR + WEEK)
    after_years = find_silence(rhythm, rhythm.last_hour + HOUR + 520 * WEEK)
    assert after_a_week
    assert after_years
    assert after_years.expected == after_a_week.expected


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.integers(0, 5 * 168), st.integers(0, 500), min_size=1, max_size=300),
    st.integers(0, 500),
    st.integers(1, 90),
)
def test_silence_only_grows_and_stays_a_probability(
    counts: dict[int, int], hours: int, minutes: int
) -> None:
    rhythm = learn({MONDAY + hour * HOUR: count for hour, count in counts.items()})
    if rhythm is None:
        assert not any(counts.values())
        return
    moment = rhythm.last_hour + min(hours, 160) * HOUR
    first = find_silence(rhythm, moment)
    later = find_silence(rhythm, moment + timedelta(minutes=minutes))
    if first is None or later is None:
        assert rhythm.weeks < 2 or moment <= rhythm.last_hour + HOUR
        return
    assert 0 <= first.expected <= later.expected + 1e-9
    assert math.isclose(first.probability, math.exp(-first.expected))
    assert first.is_alarming is (first.expected >= LEAST_EXPECTED)
