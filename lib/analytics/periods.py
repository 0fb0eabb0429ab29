"""Spans of time that figures are about, and those that they are compared with. Pure."""

import calendar
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lib.clock import hour_of, now
from lib.errors import InvalidInput

_HOUR = timedelta(hours=1)
_HOURS_OF_HOURLY_BINS = 48
_HOURS_OF_QUARTER_DAY_BINS = 8 * 24
LONGEST = timedelta(days=93)
ROLLING_DAYS = {"24h": 1, "7d": 7, "30d": 30, "90d": 90}
_MONTH = re.compile(r"(20\d{2})-(0[1-9]|1[0-2])")

Shift = Literal["previous", "week", "month", "year"]
Comparison = Literal["off"] | Shift


@dataclass(frozen=True)
class Period:
    """From `since` up to and without `until`, both whole hours in UTC, seen from a zone.

    `months` is how many calendar months it spans, 0 where it is counted in days or hours.
    """

    since: datetime
    until: datetime
    zone: ZoneInfo
    months: int = 0

    @property
    def bin_hours(self) -> int:
        """How many hours one point of a chart stands for: 1, 6 or 24, by the length."""
        hours = (self.until - self.since) / _HOUR
        if hours <= _HOURS_OF_HOURLY_BINS:
            return 1
        return 6 if hours <= _HOURS_OF_QUARTER_DAY_BINS else 24

    @property
    def days(self) -> int:
        """How many days of the zone's calendar it touches."""
        first, last = self.since.astimezone(self.zone), self.until.astimezone(self.zone)
        newest = (last - timedelta(microseconds=1)).date()
        return max(1, newest.toordinal() - first.date().toordinal() + 1)


def find_zone(name: str | None) -> ZoneInfo:
    """Return the zone of that name, UTC where the browser named none that is known."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def period_of(text: str, zone: ZoneInfo) -> Period:
    """Return the period that `text` names: 24h, 7d, 30d, 90d, or a month such as 2026-11.

    Days begin at midnight in `zone`, and today counts as the last of them; a month that is not
    over ends with the present hour.
    """
    if text in ROLLING_DAYS:
        return _rolling(ROLLING_DAYS[text], zone)
    found = _MONTH.fullmatch(text)
    if found is None:
        raise InvalidInput(
            f"There is no period {text[:20]}. Use {', '.join(ROLLING_DAYS)} or a month such as "
            "2026-11.",
            field="period",
        )
    first = datetime(int(found[1]), int(found[2]), 1, tzinfo=zone)
    until = min(whole_hour(_months_later(first, 1)), _end_of_hour())
    since = whole_hour(first)
    return Period(since, max(until, since + _HOUR), zone, months=1)


def span(since: datetime, until: datetime, zone: ZoneInfo) -> Period:
    """Return the whole hours that hold both moments; raise InvalidInput for an odd span."""
    start = hour_of(since.astimezone(UTC))
    end = whole_hour(until)
    if not timedelta(0) < end - start <= LONGEST:
        raise InvalidInput(
            f"A span has an end after its start, and at most {LONGEST.days} days.", field="until"
        )
    return Period(start, end, zone)


def compared(period: Period, how: Comparison) -> Period | None:
    """Return the span that `period` is compared with; None for "off"."""
    return None if how == "off" else moved_back(period, how)


def moved_back(period: Period, how: Shift) -> Period:
    """Return the span before `period`, or the same one a week, a month or a year earlier.

    It moves by the wall clock, so that nine in the morning is compared with nine in the morning
    across a change to or from summer time.
    """
    if how == "week":
        return _moved_by_days(period, 7)
    if how in ("month", "year"):
        return _moved_by_months(period, 1 if how == "month" else 12)
    if period.months:
        return _moved_by_months(period, period.months)
    length = period.until - period.since
    # A span of days moves by whole days, so that weekdays and hours stay where they were.
    if length > timedelta(days=1):
        return _moved_by_days(period, period.days)
    return replace(period, since=period.since - length, until=period.since)


def whole_hour(moment: datetime) -> datetime:
    """Return the first whole hour in UTC, for a zone may begin its days within one."""
    exact = moment.astimezone(UTC)
    floor = hour_of(exact)
    return floor if floor == exact else floor + _HOUR


def _rolling(days: int, zone: ZoneInfo) -> Period:
    until = _end_of_hour()
    if days == 1:
        return Period(until - timedelta(days=1), until, zone)
    local = now().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return Period(whole_hour(local - timedelta(days=days - 1)), until, zone)


def _moved_by_days(period: Period, days: int) -> Period:
    since, until = (
        whole_hour(moment.astimezone(period.zone) - timedelta(days=days))
        for moment in (period.since, period.until)
    )
    return replace(period, since=since, until=max(until, since + _HOUR))


def _moved_by_months(period: Period, months: int) -> Period:
    since, until = (
        whole_hour(_months_later(moment.astimezone(period.zone), -months))
        for moment in (period.since, period.until)
    )
    return replace(period, since=since, until=max(until, since + _HOUR))


def _months_later(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    last_day = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last_day))


def _end_of_hour() -> datetime:
    return hour_of(now()) + _HOUR
