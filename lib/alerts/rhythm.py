"""The usual rhythm of events over the week, and how unlikely a silence is under it.

Pure: it knows counts by hour and nothing of tables. All hours are UTC, so the two changes of
daylight saving time move a sender's day by one hour; each hour therefore counts as no busier
than the quietest of itself and its two neighbours.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from lib.clock import hour_of

HOUR = timedelta(hours=1)
WEEK = timedelta(weeks=1)
WEEK_HOURS = 168
MOST_WEEKS = 6
LEAST_WEEKS = 2
# By Poisson the chance of no event is exp(-expected): about one in four hundred at six.
LEAST_EXPECTED = 6.0
_DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


@dataclass(frozen=True)
class Rhythm:
    """What one kind of event usually does: the count for each hour of the week, from Monday 0.

    `last_hour` is the last hour with an event, `weeks` how many whole weeks were seen.
    """

    usual: tuple[float, ...]
    weeks: int
    last_hour: datetime


@dataclass(frozen=True)
class Silence:
    """How long nothing came, how much was to be expected meanwhile, and how likely that is.

    `busiest` is the hour of the stretch that usually has the most events.
    """

    since: datetime
    expected: float
    probability: float
    busiest: datetime
    usual_then: float

    @property
    def is_alarming(self) -> bool:
        """Whether chance hardly explains it."""
        return self.expected >= LEAST_EXPECTED

    @property
    def rhythm_words(self) -> str:
        """The usual rhythm, such as "usually 12 an hour on Wednesdays at 10 (UTC)"."""
        rate = self.usual_then
        count = f"{rate:,.0f}" if rate >= 1 else "less than 1"
        day = _DAYS[self.busiest.weekday()]
        return f"usually {count} an hour on {day} at {self.busiest.hour} (UTC)"


def learn(counts: Mapping[datetime, int]) -> Rhythm | None:
    """Return the rhythm of full hours with their counts; None for none at all.

    The weeks end with the last event, so that a silence does not become the custom while it
    lasts. A week's count goes in up to twice the median of that hour, plus one: neither a
    single burst nor a holiday decides what is usual.
    """
    seen = sorted(hour for hour, count in counts.items() if count > 0)
    if not seen:
        return None
    first, last = seen[0], seen[-1]
    weeks = min(MOST_WEEKS, (last + HOUR - first) // WEEK)
    if not weeks:
        return Rhythm((0.0,) * WEEK_HOURS, 0, last)
    usual = [0.0] * WEEK_HOURS
    for back in range(WEEK_HOURS):
        hour = last - back * HOUR
        usual[hour_of_week(hour)] = _usual([counts.get(hour - k * WEEK, 0) for k in range(weeks)])
    return Rhythm(tuple(usual), weeks, last)


def find_silence(rhythm: Rhythm, moment: datetime) -> Silence | None:
    """Return the silence from the last event's hour until `moment`; None while there is none.

    The cost does not grow with the silence: a week of it is as long as a stretch gets.
    """
    since = rhythm.last_hour + HOUR
    if moment <= since or rhythm.weeks < LEAST_WEEKS:
        return None
    begin = max(since, moment - WEEK)
    edges = [begin]
    while edges[-1] < moment:
        full = hour_of(edges[-1]) + HOUR
        edges.append(min(full, moment))
    expected = math.fsum(
        _careful(rhythm.usual, hour_of_week(start)) * ((end - start) / HOUR)
        for start, end in pairwise(edges)
    )
    busiest = max(edges[:-1], key=lambda hour: rhythm.usual[hour_of_week(hour)])
    then = rhythm.usual[hour_of_week(busiest)]
    return Silence(since, expected, math.exp(-expected), busiest, then)


def hour_of_week(hour: datetime) -> int:
    """Return 0 for the hour from Monday midnight on, up to 167."""
    return hour.weekday() * 24 + hour.hour


def _usual(counts: list[int]) -> float:
    most = 2 * median(counts) + 1
    return math.fsum(min(count, most) for count in counts) / len(counts)


def _careful(usual: tuple[float, ...], at: int) -> float:
    return min(usual[at - 1], usual[at], usual[(at + 1) % WEEK_HOURS])
