"""The routes that load balancers and monitors ask."""

from lib.hub import Hub
from lib.worker.loop import Worker
from tests.receiving import receiving


def test_process_is_healthy_without_a_worker_but_not_ready(hub: Hub) -> None:
    with receiving(hub) as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert "lib.worker" in answer.json()["worker"]


def test_ready_once_a_worker_gave_a_sign_of_life(hub: Hub) -> None:
    Worker(hub).round()
    with receiving(hub) as client:
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")


def test_metrics_are_in_the_text_format(hub: Hub) -> None:
    with receiving(hub) as client:
        answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "hub_webhook_seconds_bucket" in answer.text
