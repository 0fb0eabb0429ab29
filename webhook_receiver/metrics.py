"""What the receiver counts, in a registry of its own."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """Counters of one receiver process, counted on its event loop alone.

    They are plain numbers, and become the library's only when someone asks: its own
    counters take a lock and search their labels each time.
    """

    def __init__(self) -> None:
        self._requests: dict[tuple[str, str], int] = defaultdict(int)
        # How many took at most as long as each bucket says, and longer than the one before.
        self._within = [0] * (len(_BUCKETS) + 1)
        self._seconds = 0.0
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def count(self, service_name: str, outcome: str) -> None:
        """Count one answered request; `outcome` is stored, duplicate or a reason."""
        self._requests[service_name, outcome] += 1

    def observe(self, seconds: float) -> None:
        """Record how long one stored request took."""
        self._within[bisect_left(_BUCKETS, seconds)] += 1
        self._seconds += seconds

    def collect(self) -> Iterator[Metric]:
        """Yield what was counted, as the library asks for it."""
        requests = CounterMetricFamily(
            "hub_webhook_requests",
            "Webhook requests by service and outcome.",
            labels=("service", "outcome"),
        )
        for labels, count in self._requests.items():
            requests.add_metric(labels, count)
        yield requests
        bounds = (*map(str, _BUCKETS), "+Inf")
        yield HistogramMetricFamily(
            "hub_webhook_seconds",
            "Time from reading a webhook to its durable commit.",
            buckets=list(zip(bounds, accumulate(self._within))),
            sum_value=self._seconds,
        )

    def render(self) -> bytes:
        """Return the metrics in the text format of Prometheus."""
        return generate_latest(self._registry)
