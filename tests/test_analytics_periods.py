"""Periods by the viewer's calendar, and what they are compared with."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine

from lib.analytics.bins import all_bins, bin_start
from lib.analytics.periods import compared, find_zone, period_of, span
from lib.errors import InvalidInput
from tests.figure_factories import at

BERLIN, KOLKATA = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")
NOON = datetime(2026, 11, 25, 12, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("24h", "2026-11-24 13:00", "2026-11-25 13:00"),
        ("7d", "2026-11-18 23:00", "2026-11-25 13:00"),
        ("30d", "2026-10-26 23:00", "2026-11-25 13:00"),
        ("2026-10", "2026-09-30 22:00", "2026-10-31 23:00"),
        ("2026-11", "2026-10-31 23:00", "2026-11-25 13:00"),
    ],
)
@time_machine.travel(NOON, tick=False)
def test_a_period_is_of_the_viewers_days(text: str, since: str, until: str) -> None:
    period = period_of(text, BERLIN)
    assert (period.since, period.until) == (at(since), at(until))


@pytest.mark.parametrize("text", ["", "1h", "2026-13", "2026-00", "2026-1", "0001-01", "x" * 99])
def test_other_words_are_no_period(text: str) -> None:
    with pytest.raises(InvalidInput, match="There is no period"):
        period_of(text, BERLIN)


@time_machine.travel(NOON, tick=False)
def test_months_follow_on_each_other_in_a_zone_of_half_hours() -> None:
    first, second = period_of("2026-09", KOLKATA), period_of("2026-10", KOLKATA)
    assert first.until == second.since == at("2026-09-30 19:00")


@pytest.mark.parametrize(
    ("text", "how", "since", "until"),
    [
        ("24h", "previous", "2026-11-23 13:00", "2026-11-24 13:00"),
        ("24h", "week", "2026-11-17 13:00", "2026-11-18 13:00"),
        ("7d", "previous", "2026-11-11 23:00", "2026-11-18 13:00"),
        # Across the end of summer time: midnight stays midnight.
        ("30d", "previous", "2026-09-26 22:00", "2026-10-26 13:00"),
        ("7d", "year", "2025-11-18 23:00", "2025-11-25 13:00"),
        ("2026-11", "previous", "2026-09-30 22:00", "2026-10-25 13:00"),
        ("2026-10", "previous", "2026-08-31 22:00", "2026-09-30 22:00"),
        ("2026-10", "month", "2026-08-31 22:00", "2026-09-30 22:00"),
        ("2026-10", "year", "2025-09-30 22:00", "2025-10-31 23:00"),
    ],
)
@time_machine.travel(NOON, tick=False)
def test_a_period_is_compared_by_the_wall_clock(
    text: str, how: str, since: str, until: str
) -> None:
    found = compared(period_of(text, BERLIN), how)  # type: ignore[arg-type]
    assert found is not None
    assert (found.since, found.until) == (at(since), at(until))


@time_machine.travel(NOON, tick=False)
def test_nothing_is_compared_when_it_is_off() -> None:
    assert compared(period_of("7d", BERLIN), "off") is None


def test_a_month_without_that_day_ends_earlier() -> None:
    period = span(at("2026-03-31 00:00"), at("2026-03-31 12:00"), find_zone("UTC"))
    found = compared(period, "month")
    assert found is not None
    assert (found.since, found.until) == (at("2026-02-28 00:00"), at("2026-02-28 12:00"))


def test_a_span_holds_whole_hours_and_has_an_end() -> None:
    found = span(at("2026-11-03 10:20"), at("2026-11-03 12:01"), BERLIN)
    assert (found.since, found.until) == (at("2026-11-03 10:00"), at("2026-11-03 13:00"))
    for since, until in (("2026-11-03", "2026-11-03"), ("2026-01-01", "2026-11-03")):
        with pytest.raises(InvalidInput, match="at most 93 days"):
            span(at(since), at(until), BERLIN)


def test_an_unknown_zone_is_utc() -> None:
    for name in (None, "", "Mars/Base", "../etc/passwd", "\x00"):
        assert find_zone(name).key == "UTC"


def test_bins_are_days_of_the_zone_across_summer_time() -> None:
    period = span(at("2026-10-20 22:00"), at("2026-11-01 23:00"), BERLIN)
    starts = [bin_start(number, period) for number in all_bins(period)]
    assert len(starts) == 12
    assert {start.astimezone(BERLIN).hour for start in starts} == {0}
    assert starts[5] - starts[4] == timedelta(hours=25)


@time_machine.travel(NOON, tick=False)
def test_a_day_has_hours_and_a_week_quarter_days() -> None:
    assert len(all_bins(period_of("24h", BERLIN))) == 24
    week = period_of("7d", BERLIN)
    assert len(all_bins(week)) == 27
    assert bin_start(all_bins(week)[0], week) == week.since
    assert len(all_bins(period_of("90d", BERLIN))) == 90
