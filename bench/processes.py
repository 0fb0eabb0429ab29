"""Processes that a benchmark starts, each on the core that it is given."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests


@contextmanager
def running(
    module: Sequence[str], environment: Mapping[str, str], *, cpus: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `python -m MODULE…` on the processors given, such as "0" or "0,1", until the end."""
    command = ["taskset", "-c", cpus, sys.executable, "-m", *module]
    process = subprocess.Popen(command, env=dict(environment), stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    """Return once `url` is answered; raise when the process ends or takes over ten seconds."""
    for _ in range(200):
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            requests.get(url, timeout=1)
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the server did not come up")


def resident_mb(pid: int) -> float:
    """Return the memory that a process holds, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the process is gone")
