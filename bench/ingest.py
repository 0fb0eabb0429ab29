"""How much of a bare handler's speed the durable path keeps, per source and database.

`python -m bench.ingest` prints, for each source, the rate and latency of the receiver (verify,
deduplicate, commit with synchronous=FULL), of a bare Starlette handler, and of a bare handler
that also checks the signature, all on one core with the same payloads, taking turns in one run.
"""

import base64
import hashlib
import hmac
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
from pathlib import Path
from urllib.parse import urlencode

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlmodel import col, func, select

from bench.load import Load
from bench.processes import resident_mb, running, together_mb, wait_for
from lib.connections import integrations
from lib.hub import Hub, prepare_hub
from lib.models import WebhookEvent
from lib.settings import load_settings
from tests.factories import make_user
from tests.postgres import run_postgres

SERVER_CPU, LOAD_CPU = 0, 1
PORTS = {"hub": 8600, "bare": 8601, "checking": 8602}
# What is asked of each source, as a share of the rate it is held against.
GOALS = {
    "sqlite": {"make": ("bare", 0.40), "signed": ("checking", 0.50)},
    "postgresql": {"make": ("bare", 0.30), "signed": ("checking", 0.40)},
}
ED25519 = Ed25519PrivateKey.generate()
ACCOUNT = "AC00000000000000000000000000000001"
AUTH_TOKEN = "0123456789abcdef0123456789abcdef"
LOCATION = "loc0000000000000001"
VALUES = {
    "make": {},
    "twilio": {"account_sid": ACCOUNT, "auth_token": AUTH_TOKEN},
    "gohighlevel": {"location_id": LOCATION},
    "webhook": {},
}


@dataclass(frozen=True)
class Plan:
    """How often and how much is sent, by which services."""

    rounds: int
    count: int
    services: tuple[str, ...]


class Source:
    """Makes requests of one provider for one integration, each with content of its own."""

    def __init__(self, hub: Hub, service_name: str, values: dict[str, str]) -> None:
        user = make_user(hub, email=f"{service_name}@example.com")
        issued = integrations.add(hub, user, service_name=service_name, name="bench", values=values)
        self.service_name = service_name
        self.secret = issued.inbound_secret or ""
        self.url = issued.integration.webhook_url
        self.path = self.url.removeprefix(hub.settings.public_url)

    def write(self, path: Path, count: int) -> Path:
        """Write `count` fresh requests, each behind its length."""
        with path.open("wb") as file:
            for _ in range(count):
                request = self._request(os.urandom(16).hex())
                file.write(len(request).to_bytes(4) + request)
        return path

    def _request(self, unique: str) -> bytes:
        body, headers = getattr(self, f"_{self.service_name}")(unique)
        lines = [f"POST {self.path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
        lines += ["Accept: */*", "Accept-Encoding: gzip", "Connection: keep-alive"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def _twilio(self, unique: str) -> tuple[bytes, dict[str, str]]:
        fields = {
            "ToCountry": "US", "ToState": "CA", "SmsMessageSid": f"SM{unique}", "NumMedia": "0",
            "ToCity": "", "FromZip": "94103", "SmsSid": f"SM{unique}", "FromState": "CA",
            "SmsStatus": "received", "FromCity": "SAN FRANCISCO", "Body": "See you at nine!",
            "FromCountry": "US", "To": "+15005550006", "ToZip": "", "NumSegments": "1",
            "MessageSid": f"SM{unique}", "AccountSid": ACCOUNT, "From": "+14155550123",
            "ApiVersion": "2010-04-01",
        }  # fmt: skip
        message = self.url + "".join(name + fields[name] for name in sorted(fields))
        signature = hmac.new(AUTH_TOKEN.encode(), message.encode(), hashlib.sha1).digest()
        return urlencode(fields).encode(), {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "User-Agent": "TwilioProxy/1.1",
            "X-Twilio-Signature": base64.b64encode(signature).decode(),
            "I-Twilio-Idempotency-Token": unique,
        }

    def _gohighlevel(self, unique: str) -> tuple[bytes, dict[str, str]]:
        body = _contact(unique, locationId=LOCATION, webhookId=unique)
        return body, {
            "Content-Type": "application/json",
            "User-Agent": "axios/1.13.2",
            "X-GHL-Signature": base64.b64encode(ED25519.sign(body)).decode(),
        }

    def _webhook(self, unique: str) -> tuple[bytes, dict[str, str]]:
        body, moment = _contact(unique), str(int(time.time()))
        key = base64.b64decode(self.secret.removeprefix("whsec_") + "==")
        content = f"{unique}.{moment}.".encode() + body
        signature = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        return body, {
            "Content-Type": "application/json",
            "webhook-id": unique,
            "webhook-timestamp": moment,
            "webhook-signature": f"v1,{signature}",
        }

    def _make(self, unique: str) -> tuple[bytes, dict[str, str]]:
        headers = {"Content-Type": "application/json", "User-Agent": "Make/production"}
        return _contact(unique), {**headers, "X-Hub-Secret": self.secret}


def _contact(unique: str, **more: str) -> bytes:
    contact = {
        "type": "ContactCreate", "id": unique, "firstName": "Ada", "lastName": "Byron",
        "email": "ada@example.com", "phone": "+14155550123", "city": "London", "country": "GB",
        "tags": ["vip", "member"], "dateAdded": "2026-11-23T10:00:00.000Z", "source": "form",
        "customFields": [{"id": "BcdmQEsNgz6AVpgLVUJ0", "value": "XYZ Corp"}], **more,
    }  # fmt: skip
    return json.dumps(contact).encode()


@contextmanager
def serving(command: list[str], port: int, environment: dict[str, str]) -> Iterator[int]:
    """Run a server pinned to the server's core; yield its process id once it answers."""
    with running(command, environment, cpus=str(SERVER_CPU)) as process:
        wait_for(f"http://127.0.0.1:{port}/healthz", process)
        yield process.pid


def measure(port: int, path: Path) -> Load:
    """Send the requests of a file from the load's core."""
    command = [sys.executable, "-m", "bench.load", str(port), str(path), str(LOAD_CPU)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return Load(**json.loads(done.stdout))


def run_database(name: str, url: str, *, folder: Path, plan: Plan) -> None:
    """Measure every source on one database and print its table."""
    pem = ED25519.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    os.environ.update(
        HUB_DATABASE_URL=url,
        HUB_KEY_FILE=str(folder / f"{name}.keys"),
        HUB_PUBLIC_URL="http://localhost:8000",
        HUB_GOHIGHLEVEL_ED25519_KEY=pem.decode(),
        HUB_RECEIVER_PORT=str(PORTS["hub"]),
    )
    hub = prepare_hub(load_settings())
    sources = [Source(hub, service, VALUES[service]) for service in plan.services]
    environment = dict(os.environ)
    commands = {
        "hub": ["webhook_receiver"],
        "bare": ["bench.bare", "bare", str(PORTS["bare"]), str(SERVER_CPU)],
        "checking": ["bench.bare", "checking", str(PORTS["checking"]), str(SERVER_CPU)],
    }
    print(f"\n{name}: {plan.rounds} rounds of {plan.count} requests, 64 connections, medians")
    with ExitStack() as stack:
        pids = {
            kind: stack.enter_context(serving(command, PORTS[kind], environment))
            for kind, command in commands.items()
        }
        sent = sum(_run_source(name, source, folder=folder, plan=plan) for source in sources)
        _print_memory(hub, pids["hub"], sent, environment)
    hub.close()


def _run_source(name: str, source: Source, *, folder: Path, plan: Plan) -> int:
    loads: dict[str, list[Load]] = {kind: [] for kind in PORTS}
    for kind in PORTS:
        measure(PORTS[kind], source.write(folder / "requests", plan.count // 10))
    for _ in range(plan.rounds):
        path = source.write(folder / "requests", plan.count)
        for kind, port in PORTS.items():
            loads[kind].append(measure(port, path))
    goal = GOALS[name]["make" if source.service_name == "make" else "signed"]
    for kind in PORTS:
        print(f"  {source.service_name:12} {kind:9} {_describe(loads[kind])}")
    for kind in ("bare", "checking"):
        ratios = [
            a.per_second / b.per_second for a, b in zip(loads["hub"], loads[kind], strict=True)
        ]
        asked = f"  (goal {goal[1]:.2f})" if goal[0] == kind else ""
        print(f"  {source.service_name:12} hub/{kind:9} {statistics.median(ratios):.2f}{asked}")
    return plan.rounds * plan.count + plan.count // 10


def _describe(loads: list[Load]) -> str:
    rate, p50, p99 = (
        statistics.median(getattr(load, figure) for load in loads)
        for figure in ("per_second", "p50", "p99")
    )
    return f"{rate:8.0f}/s   p50 {p50:6.2f} ms   p99 {p99:6.2f} ms"


def _print_memory(hub: Hub, receiver: int, sent: int, environment: dict[str, str]) -> None:
    with hub.database.read() as session:
        stored = session.exec(select(func.count()).select_from(WebhookEvent)).one()
    print(f"  stored {stored} of {sent} acknowledged")
    worker = subprocess.Popen(
        [sys.executable, "-m", "lib.worker"], env=environment, stderr=subprocess.DEVNULL
    )
    started = time.perf_counter()
    pending = select(func.count()).where(col(WebhookEvent.status) == "pending")
    while True:
        if worker.poll() is not None:
            raise RuntimeError(f"the worker ended with {worker.returncode}")
        with hub.database.read() as session:
            if session.exec(pending).one() == 0:
                break
        time.sleep(0.5)
    seconds = time.perf_counter() - started
    sizes = [resident_mb(pid) for pid in (receiver, worker.pid)]
    print(f"  the worker processed them at {stored / seconds:.0f}/s")
    together = together_mb([receiver, worker.pid])
    print(
        f"  memory: receiver {sizes[0]:.0f} MB + worker {sizes[1]:.0f} MB = {sum(sizes):.0f} MB; "
        f"{together:.0f} MB with shared pages counted once"
    )
    worker.terminate()
    worker.wait(20)


def main(
    rounds: int = 5, count: int = 10_000, database: str = "both", services: str = ",".join(VALUES)
) -> None:
    """Measure on SQLite, PostgreSQL or both."""
    plan = Plan(rounds, count, tuple(services.split(",")))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if database in ("both", "sqlite"):
            run_database("sqlite", f"sqlite:///{folder / 'hub.db'}", folder=folder, plan=plan)
        if database in ("both", "postgresql"):
            server = stack.enter_context(run_postgres(options=""))
            url = server.url_of(server.make_database())
            run_database("postgresql", url, folder=folder, plan=plan)


if __name__ == "__main__":
    typer.run(main)
