"""Real processes of the hub, for what only a real process can show."""

import multiprocessing
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import requests

from lib.database import Database
from lib.migrate import migrate
from lib.settings import Settings

ROOT = Path(__file__).parent.parent
_LONGEST_SECONDS = 120
Given = TypeVar("Given")
Answer = TypeVar("Answer")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment_of(settings: Settings, **more: str) -> dict[str, str]:
    """Return the environment of a process that works on the hub of `settings`."""
    keys = settings.master_keys.get_secret_value() if settings.master_keys else ""
    return {
        **os.environ,
        "HUB_DATABASE_URL": settings.database_url.get_secret_value(),
        "HUB_MASTER_KEYS": keys,
        "HUB_KEY_FILE": str(settings.key_file),
        "HUB_PUBLIC_URL": settings.public_url,
        **more,
    }


def run_at_once(work: Callable[[Given], Answer], given: Sequence[Given]) -> list[Answer]:
    """Return what four processes answer that take up the work together.

    They are forked from a fifth, which loads the module of `work` once for them all. No module
    of tests is one for it: it would bring all of pytest with it.
    """
    start = multiprocessing.get_context("forkserver")
    start.set_forkserver_preload([work.__module__])
    with _nameless_main(), start.Pool(4) as pool:
        answers = pool.map_async(work, given, chunksize=1).get(_LONGEST_SECONDS)
        pool.close()
        pool.join()
    return answers


@contextmanager
def _nameless_main() -> Iterator[None]:
    """Hide what a test of a screen leaves as the main module: each process would run it first."""
    before = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = before


def migrate_url(url: str) -> None:
    """Migrate a database as one process of several does."""
    database = Database(url)
    migrate(database)
    database.close()


@contextmanager
def receiver_process(settings: Settings, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Yield a receiver that answers on `port`; it is ended when the block ends."""
    environment = environment_of(settings, HUB_RECEIVER_PORT=str(port))
    process = subprocess.Popen(
        [sys.executable, "-m", "webhook_receiver"], cwd=ROOT, env=environment
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz", process)
        yield process
    finally:
        process.kill()
        process.wait()


def start_worker(settings: Settings, **more: str) -> "subprocess.Popen[bytes]":
    """Start a worker on the hub of `settings`; whoever starts it ends it."""
    return subprocess.Popen(
        [sys.executable, "-m", "lib.worker"], cwd=ROOT, env=environment_of(settings, **more)
    )


def wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    """Return once `url` answers 200; fail when the process ends or takes over 30 seconds."""
    for _ in range(300):
        assert process.poll() is None, f"the process ended with {process.returncode}"
        try:
            if requests.get(url, timeout=2).ok:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"{url} did not answer")


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started and that still run."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]
