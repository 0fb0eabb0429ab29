"""How fast deliveries go out, how soon after the commit, and what the worker needs for it.

`python -m bench.delivery` prints, for each database: deliveries per second of one worker to a
local sink beside a plain aiohttp loop that posts the same bodies to the same sink, taking turns
in one run; the time from an event's commit to its first attempt at 200 events a second on two
cores, alone and beside a hung and an overloaded destination; and the worker's memory with a
million deliveries waiting.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp
import requests
import typer
from sqlmodel import col, func, select

from bench.processes import resident_mb, running, wait_for
from bench.queues import Bench, add_route, insert_events, queue
from lib.clock import now
from lib.connections import integrations
from lib.hub import prepare_hub
from lib.ids import new_id
from lib.models import Delivery, DeliveryAttempt, Destination, WebhookEvent
from lib.outgoing.envelope import build_envelope
from lib.settings import load_settings
from tests.delivering import make_destination
from tests.factories import make_user
from tests.postgres import run_postgres
from tests.processes import children_of

# As in life: all of it shares the two processors.
CPUS = "0,1"
SINK_PORT, RECEIVER_PORT = 8610, 8611
SINK = f"http://127.0.0.1:{SINK_PORT}"
CONCURRENCY = 100
GOALS = {"sqlite": 0.40, "postgresql": 0.30}
OFFERED_PER_SECOND = 200


@dataclass(frozen=True)
class Plan:
    """How much is measured; `pending` is the size of the queue for the memory figure."""

    destinations: int
    rounds: int
    count: int
    seconds: int
    pending: int


def measure_throughput(bench: Bench, plan: Plan) -> None:
    """Print the worker's rate, the plain loop's, and their ratio."""
    places = [
        make_destination(
            bench.hub, bench.owner, f"{SINK}/quick", config_data={"concurrency": CONCURRENCY}
        )
        for _ in range(plan.destinations)
    ]
    events = insert_events(bench, 200)
    bodies = [json.dumps(build_envelope(event)) for event in events]
    path = bench.folder / "bodies.json"
    path.write_text(json.dumps([bodies[n % len(bodies)] for n in range(plan.count)]))
    ours, plain = [], []
    for _ in range(plan.rounds):
        for place in places:
            share = plan.count // len(places)
            queue(bench, place, [event.id for event in events], count=share)
        ours.append(_drain(bench, plan.count))
        plain.append(_post_plainly(path))
    ratios = [a / b for a, b in zip(ours, plain, strict=True)]
    print(f"  plain loop {statistics.median(plain):8.0f}/s")
    print(f"  worker     {statistics.median(ours):8.0f}/s")
    print(f"  worker/plain {statistics.median(ratios):.2f}  (goal {GOALS[bench.name]:.2f})")


def measure_latency(bench: Bench, plan: Plan) -> None:
    """Print how soon after its commit an event is first sent, alone and in bad company."""
    quick = make_destination(bench.hub, bench.owner, f"{SINK}/quick")
    add_route(bench, quick)
    alone = _offer(bench, plan, quick)
    for path in ("hung", "overloaded"):
        add_route(bench, make_destination(bench.hub, bench.owner, f"{SINK}/{path}"))
    beside = _offer(bench, plan, quick)
    for label, (p50, p99) in (("alone", alone), ("beside hung and overloaded", beside)):
        print(f"  commit to first attempt, {label}: p50 {p50:.0f} ms, p99 {p99:.0f} ms")
    print(f"  p99 beside/alone {beside[1] / alone[1]:.2f}  (goal below 2)")


def measure_memory(bench: Bench, plan: Plan) -> None:
    """Print what a worker holds after ten seconds over a long queue."""
    destination = make_destination(bench.hub, bench.owner, f"{SINK}/quick")
    events = insert_events(bench, 200)
    queue(bench, destination, [event.id for event in events], count=plan.pending)
    with running(["lib.worker"], bench.environment, cpus=CPUS) as worker:
        time.sleep(10)
        sizes = [resident_mb(pid) for pid in (worker.pid, *children_of(worker.pid))]
        parts = " + ".join(f"{size:.0f}" for size in sizes)
        print(f"  worker and its courier with {plan.pending} pending: {parts} MB  (goal 250)")


def _drain(bench: Bench, count: int) -> float:
    """Return the rate of a worker from its first request to its last, its start left out."""
    requests.delete(f"{SINK}/seen", timeout=5)
    with running(["lib.worker"], bench.environment, cpus=CPUS):
        while (seen := requests.get(f"{SINK}/seen", timeout=5).json())["count"] < count:
            # Seldom, for each look costs the worker time.
            time.sleep(0.5)
        _wait_until_settled(bench)
    return count / float(seen["seconds"])


def _wait_until_settled(bench: Bench) -> None:
    open_ones = select(func.count()).where(
        col(Delivery.next_attempt_at).is_not(None) | col(Delivery.lease_until).is_not(None)
    )
    for _ in range(200):
        with bench.hub.database.read() as session:
            if session.exec(open_ones).one() == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("deliveries were left open")


def _post_plainly(path: Path) -> float:
    command = [sys.executable, "-m", "bench.plain", f"{SINK}/quick", str(path), str(CONCURRENCY)]
    return float(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def _offer(bench: Bench, plan: Plan, destination: Destination) -> tuple[float, float]:
    """Send 200 events a second; return p50 and p99 in ms from commit to first attempt."""
    begun = now()
    with (
        running(["webhook_receiver"], bench.environment, cpus=CPUS) as receiver,
        running(["lib.worker"], bench.environment, cpus=CPUS),
    ):
        wait_for(f"http://127.0.0.1:{RECEIVER_PORT}/healthz", receiver)
        time.sleep(2)
        asyncio.run(_send_steadily(bench, plan.seconds))
        time.sleep(3)
    query = (
        select(col(DeliveryAttempt.created_at), col(WebhookEvent.created_at))
        .join(Delivery, col(Delivery.id) == col(DeliveryAttempt.delivery_id))
        .join(WebhookEvent, col(WebhookEvent.id) == col(Delivery.event_id))
        .where(
            col(Delivery.destination_id) == destination.id,
            col(DeliveryAttempt.number) == 1,
            col(WebhookEvent.created_at) >= begun,
        )
    )
    with bench.hub.database.read() as session:
        rows = session.exec(query).all()
    waits = sorted(
        (first - created) / timedelta(milliseconds=1) for first, created in rows if first
    )
    expected = OFFERED_PER_SECOND * plan.seconds
    if len(waits) != expected:
        raise RuntimeError(f"{len(waits)} of {expected} events were sent onwards")
    return waits[len(waits) // 2], waits[int(len(waits) * 0.99)]


async def _send_steadily(bench: Bench, seconds: int) -> None:
    url = bench.issued.integration.webhook_url
    url = url.replace(bench.hub.settings.public_url, f"http://127.0.0.1:{RECEIVER_PORT}")
    headers = {
        "x-hub-secret": bench.issued.inbound_secret or "",
        "content-type": "application/json",
    }
    loop = asyncio.get_running_loop()
    started = loop.time()
    async with aiohttp.ClientSession(headers=headers) as http, asyncio.TaskGroup() as group:

        async def send() -> None:
            body = json.dumps({"type": "ContactCreate", "id": new_id("con"), "note": "x" * 300})
            async with http.post(url, data=body) as answer:
                answer.raise_for_status()

        for number in range(OFFERED_PER_SECOND * seconds):
            await asyncio.sleep(started + number / OFFERED_PER_SECOND - loop.time())
            group.create_task(send())


@contextmanager
def _benching(name: str, url: str, folder: Path) -> Iterator[Bench]:
    os.environ.update(
        HUB_DATABASE_URL=url,
        HUB_KEY_FILE=str(folder / f"{name}.keys"),
        HUB_RECEIVER_PORT=str(RECEIVER_PORT),
        HUB_ALLOWED_PRIVATE_NETWORKS="127.0.0.0/8",
    )
    hub = prepare_hub(load_settings())
    owner = make_user(hub)
    issued = integrations.add(hub, owner, service_name="make", name="bench", values={})
    yield Bench(name, hub, owner, issued, dict(os.environ), folder)
    hub.close()


def run_database(name: str, url: str, *, folder: Path, plan: Plan) -> None:
    """Measure everything on one database."""
    print(
        f"\n{name}: {plan.rounds} rounds of {plan.count} deliveries to {plan.destinations} "
        f"destinations, {CONCURRENCY} at once to each"
    )
    with _benching(name, url, folder) as bench:
        measure_throughput(bench, plan)
        measure_latency(bench, plan)
        if plan.pending:
            measure_memory(bench, plan)


def main(
    destinations: int = 1,
    rounds: int = 3,
    count: int = 10_000,
    seconds: int = 20,
    pending: int = 1_000_000,
    database: str = "both",
) -> None:
    """Measure on SQLite, PostgreSQL or both; `--pending 0` leaves the memory figure out."""
    plan = Plan(destinations, rounds, count, seconds, pending)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sink = running(["bench.sink", str(SINK_PORT)], os.environ, cpus=CPUS)
        wait_for(f"{SINK}/seen", stack.enter_context(sink))
        if database in ("both", "sqlite"):
            run_database("sqlite", f"sqlite:///{folder / 'hub.db'}", folder=folder, plan=plan)
        if database in ("both", "postgresql"):
            server = stack.enter_context(run_postgres(options=""))
            url = server.url_of(server.make_database())
            run_database("postgresql", url, folder=folder, plan=plan)


if __name__ == "__main__":
    typer.run(main)
