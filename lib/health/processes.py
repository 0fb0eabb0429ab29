"""The receiver as this machine reaches it, and the machine's own limits."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from lib.database import sqlite_path
from lib.errors import ProviderError
from lib.health.readings import Reading, State
from lib.http import VendorAnswer, VendorClient
from lib.hub import Hub
from lib.quantities import byte_size

_RECEIVER, _MACHINE = "Receiver", "Machine"
_SECONDS = 3.0
_DISK_WARN, _DISK_BAD = 0.15, 0.05
_OK = 200


def read_receiver(hub: Hub) -> Iterator[Reading]:
    """Yield whether the receiver lives and can work, asked by loopback."""
    base = f"http://127.0.0.1:{hub.settings.receiver_port}"
    # The operator's own machine: the guard is for addresses that members choose.
    with VendorClient(vouched_urls=(base,)) as client:
        alive = _ask(client, f"{base}/healthz")
        if alive is None or alive.status != _OK:
            said = "no answer" if alive is None else f"answers {alive.status}"
            step = (
                "Start `python -m webhook_receiver`. Where it runs on another machine, go by the "
                "self-test under Addresses."
            )
            yield Reading(_RECEIVER, "Process", "bad", f"{said} at {base}/healthz", step)
            return
        yield Reading(_RECEIVER, "Process", "ok", f"answers at {base}")
        ready = _ask(client, f"{base}/readyz")
    if ready is not None and ready.status == _OK:
        yield Reading(_RECEIVER, "Readiness", "ok", "database and worker answer")
        return
    step = "See the lines about database and workers."
    yield Reading(_RECEIVER, "Readiness", "bad", _unready(ready), step)


def read_machine(hub: Hub) -> Iterator[Reading]:
    """Yield the room on the disks that the hub writes to, and the limits that are set."""
    yield _read_disk("Disk of the key file", hub.settings.key_file.parent)
    if hub.database.is_sqlite:
        yield _read_disk("Disk of the database", sqlite_path(hub.database.url).parent)
    settings = hub.settings
    yield Reading(
        _MACHINE,
        "Limits",
        "ok",
        f"bodies up to {byte_size(settings.max_body_bytes)}, "
        f"{settings.api_requests_per_minute:,} API requests a minute for each token, "
        f"leases of {settings.delivery_lease_seconds} s",
    )


def _read_disk(subject: str, folder: Path) -> Reading:
    usage = shutil.disk_usage(folder if folder.exists() else Path())
    share = usage.free / usage.total
    state: State = "ok"
    if share < _DISK_WARN:
        state = "bad" if share < _DISK_BAD else "warn"
    step = "Free some space, or let Retention keep less." if state != "ok" else ""
    text = f"{byte_size(usage.free)} free of {byte_size(usage.total)} ({share:.0%})"
    return Reading(_MACHINE, subject, state, text, step)


def _ask(client: VendorClient, url: str) -> VendorAnswer | None:
    try:
        return client.request("GET", url, read_seconds=_SECONDS)
    except ProviderError:
        return None


def _unready(answer: VendorAnswer | None) -> str:
    if answer is None:
        return "no answer at /readyz"
    try:
        parts = json.loads(answer.text)
    except ValueError:
        return f"answers {answer.status}"
    return f"database: {parts.get('database')}, worker: {parts.get('worker')}"
