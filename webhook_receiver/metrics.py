"""What the receiver counts, in a registry of its own."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class Metrics:
    """Counters of one receiver process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "hub_webhook_requests",
            "Webhook requests by service and outcome.",
            ("service", "outcome"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "hub_webhook_seconds",
            "Time from reading a webhook to its durable commit.",
            buckets=_BUCKETS,
            registry=self._registry,
        )

    def count(self, service_name: str, outcome: str) -> None:
        """Count one answered request; `outcome` is stored, duplicate or a reason."""
        self._requests.labels(service_name, outcome).inc()

    def observe(self, seconds: float) -> None:
        """Record how long one stored request took."""
        self._seconds.observe(seconds)

    def render(self) -> bytes:
        """Return the metrics in the text format of Prometheus."""
        return generate_latest(self._registry)
