"""The routes that load balancers and monitors ask."""

from lib.clock import now
from lib.hub import Hub
from lib.models import WorkerHeartbeat
from tests.factories import make_user
from tests.receiving import Signed, connect, post, receiving, sign
from webhook_receiver.metrics import Metrics


def test_process_is_healthy_without_a_worker_but_not_ready(hub: Hub) -> None:
    with receiving(hub) as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert "lib.worker" in answer.json()["worker"]


def test_ready_once_a_worker_gave_a_sign_of_life(hub: Hub) -> None:
    moment = now()
    with hub.database.write() as session:
        session.add(WorkerHeartbeat(id="wrk_1", host="here", started_at=moment, beat_at=moment))
    with receiving(hub) as client:
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")


def test_metrics_count_requests_by_outcome_in_the_text_format(hub: Hub) -> None:
    issued = connect(hub, make_user(hub), "make")
    signed = sign(issued, {"n": 1})
    with receiving(hub) as client:
        for _ in range(2):
            post(client, issued.integration.webhook_url, signed)
        post(client, issued.integration.webhook_url, Signed(signed.body, {}))
        answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    lines = answer.text.splitlines()
    for outcome in ("stored", "duplicate", "missing_signature"):
        assert f'hub_webhook_requests_total{{outcome="{outcome}",service="make"}} 1.0' in lines
    assert 'hub_webhook_seconds_bucket{le="+Inf"} 2.0' in lines
    assert "hub_webhook_seconds_count 2.0" in lines


def test_metrics_put_each_duration_into_its_bucket() -> None:
    metrics = Metrics()
    for seconds in (0.001, 0.002, 9):
        metrics.observe(seconds)
    lines = metrics.render().decode().splitlines()
    for bound, count in (("0.001", 1), ("0.0025", 2), ("5.0", 2), ("+Inf", 3)):
        assert f'hub_webhook_seconds_bucket{{le="{bound}"}} {count}.0' in lines
    assert "hub_webhook_seconds_sum 9.003" in lines
