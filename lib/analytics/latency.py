"""How long things took, as percentiles of merged histograms and never as means."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col

from lib.access import Actor
from lib.analytics.bins import all_bins, bars, bin_start
from lib.analytics.periods import Period
from lib.analytics.scopes import Filters, of_destinations, of_integrations
from lib.histogram import percentile
from lib.hub import Hub
from lib.models import DurationTotal, LatencyTotal
from lib.processing.durations import seconds_at
from lib.processing.totals import sum_up

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
    scopes = of_destinations(LatencyTotal, actor, filters)
    with hub.database.read() as session:
        histograms = _histograms(
            sum_up(session, LatencyTotal, scopes, [col(LatencyTotal.bucket)], bars(period))
        )
    if not histograms:
        return []
    return [_latency_point(number, period, histograms[number]) for number in all_bins(period)]


def waits(hub: Hub, actor: Actor, period: Period, filters: Filters) -> list[Waits]:
    """Return how long messages took to arrive and contacts to reply, by measure and bar."""
    scopes = of_integrations(DurationTotal, actor, filters)
    columns = [col(DurationTotal.measure), col(DurationTotal.bucket)]
    with hub.database.read() as session:
        found = sum_up(session, DurationTotal, scopes, columns, bars(period))
    by_measure: defaultdict[str, list[Any]] = defaultdict(list)
    for number, measure, bucket, count in found:
        by_measure[measure].append((number, bucket, count))
    return [
        _waits(measure, period, _histograms(rows)) for measure, rows in sorted(by_measure.items())
    ]


def _histograms(rows: Iterable[Any]) -> defaultdict[int, Counter[int]]:
    histograms: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for number, bucket, count in rows:
        histograms[number][bucket] += count
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
