"""Hours put together to the bars of a chart by the viewer's calendar, inside the database.

The databases know no common function for zones (SQLite has none), so the offsets that hold
within the period become one small CASE, and the rest is arithmetic on seconds.
"""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, case, cast, extract, func, literal

from lib.analytics.periods import Period, whole_hour
from lib.processing.totals import Bar

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock's own beginning, in no zone
_SECONDS_OF_HOUR = 3_600
# 1 January 1970 was a Thursday, and weeks begin on Mondays.
_FIRST_WEEKDAY = 3
_HOURS_OF_WEEK = 168


def epoch_seconds(column: Any, *, is_sqlite: bool) -> ColumnElement[int]:
    """Return the seconds since 1970 of a column of moments."""
    seconds: Any = func.strftime("%s", column) if is_sqlite else extract("epoch", column)
    return cast(seconds, BigInteger)


def bin_start(number: int, period: Period) -> datetime:
    """Return the moment at which a bin begins, in UTC."""
    seconds = timedelta(hours=number * period.bin_hours)
    if period.bin_hours == 1:
        return _EPOCH.replace(tzinfo=UTC) + seconds
    return (_EPOCH + seconds).replace(tzinfo=period.zone).astimezone(UTC)


def all_bins(period: Period) -> list[int]:
    """Return the numbers of all bins of a period, for lines that must show gaps."""
    return list(
        range(
            _number_of(period.since, period),
            _number_of(period.until - timedelta(hours=1), period) + 1,
        )
    )


def bars(period: Period) -> list[Bar]:
    """Return the bars of a period, from its first hour to its last."""
    numbers = all_bins(period)
    edges = [whole_hour(bin_start(number, period)) for number in (*numbers, numbers[-1] + 1)]
    return [
        Bar(number, max(since, period.since), min(until, period.until))
        for number, (since, until) in zip(numbers, pairwise(edges), strict=True)
    ]


def whole(period: Period) -> list[Bar]:
    """Return the period as one bar."""
    return [Bar(0, period.since, period.until)]


def hour_of_week(column: Any, period: Period, *, is_sqlite: bool) -> ColumnElement[int]:
    """Return the hours since Thursday midnight in the zone: see `weekday_and_hour`."""
    seconds = epoch_seconds(column, is_sqlite=is_sqlite) + _offset(column, period)
    return seconds // _SECONDS_OF_HOUR % _HOURS_OF_WEEK


def weekday_and_hour(number: int) -> tuple[int, int]:
    """Return the weekday, 0 for Monday, and the hour that `hour_of_week` stands for."""
    day, hour = divmod(number, 24)
    return (day + _FIRST_WEEKDAY) % 7, hour


def _number_of(moment: datetime, period: Period) -> int:
    if period.bin_hours == 1:
        wall = moment.replace(tzinfo=None)
    else:
        wall = moment.astimezone(period.zone).replace(tzinfo=None)
    return int((wall - _EPOCH).total_seconds()) // (period.bin_hours * _SECONDS_OF_HOUR)


def _offset(column: Any, period: Period) -> ColumnElement[int]:
    """Return the zone's distance from UTC at each moment of the column, in seconds."""
    changes = _changes(period)
    last = literal(changes[-1][1])
    if len(changes) == 1:
        return last
    # Each but the last holds until the next begins.
    steps = [
        (column < following, literal(seconds)) for (_, seconds), (following, _) in pairwise(changes)
    ]
    return case(*steps, else_=last)


def _changes(period: Period) -> list[tuple[datetime, int]]:
    """Return from when on which offset holds; zones change it at whole hours in UTC or halves."""
    found: list[tuple[datetime, int]] = []
    moment = period.since
    while moment < period.until:
        offset = moment.astimezone(period.zone).utcoffset() or timedelta(0)
        seconds = int(offset.total_seconds())
        if not found or found[-1][1] != seconds:
            found.append((moment, seconds))
        moment += timedelta(hours=1)
    return found
