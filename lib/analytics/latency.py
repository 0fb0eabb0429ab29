"""How long things took, as percentiles of merged histograms and never as means."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import col

from lib.access import Actor
from lib.analytics.bins import all_bins, bin_number, bin_start
from lib.analytics.periods import Period
from lib.analytics.scopes import Filters, is_sqlite, of_destinations, of_integrations, within
from lib.durations import seconds_at
from lib.histogram import percentile
from lib.hub import Hub
from lib.models import DeliveryRollup, DurationRollup

SHARES = (0.5, 0.95, 0.99)


@dataclass(frozen=True)
class LatencyPoint:
    """The p50, p95 and p99 of the attempts from `start` on, in milliseconds; None for none."""

    start: datetime
    attempts: int
    p50: float | None
    p95: float | None
    p99: float | None


@dataclass(frozen=True)
class WaitPoint:
    """The p50 and p95 in seconds of what began from `start` on and took `measure`."""

    start: datetime
    measure: str
    count: int
    p50: float | None
    p95: float | None


@dataclass(frozen=True)
class Waits:
    """Durations of one measure over the whole period in seconds, and bar by bar."""

    measure: str
    count: int
    p50: float | None
    p95: float | None
    points: Sequence[WaitPoint]


def latency(hub: Hub, actor: Actor, period: Period, filters: Filters) -> list[LatencyPoint]:
    """Return the durations of attempts by bar, empty bars included; none without attempts."""
    with hub.database.read() as session:
        number = bin_number(col(DeliveryRollup.hour), period, is_sqlite=is_sqlite(session))
        query = (
            select(
                number.label("bin"),
                col(DeliveryRollup.bucket),
                func.sum(col(DeliveryRollup.count)),
            )
            .where(*within(DeliveryRollup, actor, period, filters))
            .where(*of_destinations(DeliveryRollup, filters))
            .group_by("bin", col(DeliveryRollup.bucket))
        )
        histograms = _histograms(session.execute(query))
    if not histograms:
        return []
    return [_latency_point(number, period, histograms[number]) for number in all_bins(period)]


def waits(hub: Hub, actor: Actor, period: Period, filters: Filters) -> list[Waits]:
    """Return how long messages took to arrive and contacts to reply, by measure and bar."""
    with hub.database.read() as session:
        number = bin_number(col(DurationRollup.hour), period, is_sqlite=is_sqlite(session))
        keys = (col(DurationRollup.measure), col(DurationRollup.bucket))
        query = (
            select(number.label("bin"), *keys, func.sum(col(DurationRollup.count)))
            .where(*within(DurationRollup, actor, period, filters))
            .where(*of_integrations(DurationRollup, filters))
            .group_by("bin", *keys)
        )
        found = session.execute(query).all()
    by_measure: defaultdict[str, list[Any]] = defaultdict(list)
    for number, measure, bucket, count in found:
        by_measure[measure].append((number, bucket, count))
    return [
        _waits(measure, period, _histograms(rows)) for measure, rows in sorted(by_measure.items())
    ]


def _histograms(rows: Iterable[Any]) -> defaultdict[int, Counter[int]]:
    histograms: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for number, bucket, count in rows:
        histograms[number][bucket] += int(count)
    return histograms


def _latency_point(number: int, period: Period, counts: Mapping[int, int]) -> LatencyPoint:
    p50, p95, p99 = (percentile(counts, share) for share in SHARES)
    return LatencyPoint(bin_start(number, period), sum(counts.values()), p50, p95, p99)


def _waits(measure: str, period: Period, histograms: Mapping[int, Counter[int]]) -> Waits:
    whole: Counter[int] = Counter()
    for counts in histograms.values():
        whole.update(counts)
    points = [
        WaitPoint(
            bin_start(number, period),
            measure,
            sum(counts.values()),
            seconds_at(counts, 0.5),
            seconds_at(counts, 0.95),
        )
        for number, counts in sorted(histograms.items())
    ]
    p50, p95 = seconds_at(whole, 0.5), seconds_at(whole, 0.95)
    return Waits(measure, sum(whole.values()), p50, p95, points)
