"""Processes that a benchmark starts, each on the core that it is given."""

import subprocess
import sys
import time
from collections import Counter
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


def together_mb(pids: Sequence[int]) -> float:
    """Return the memory that processes hold together, in MB.

    Unchanged pages of a file that several of them map, such as the interpreter's and a
    library's code, are in memory once and count once.
    """
    own = 0
    files: Counter[str] = Counter()
    for pid in pids:
        kept, mapped = _kilobytes(pid)
        own += kept
        # The largest share stands for all: what one maps of a file, the others mostly map too.
        files |= mapped
    return (own + files.total()) / 1024


def _kilobytes(pid: int) -> tuple[int, Counter[str]]:
    """Return what a process holds for itself, and by file what it may share with others.

    https://www.kernel.org/doc/html/latest/filesystems/proc.html describes smaps.
    """
    own = 0
    files: Counter[str] = Counter()
    path = ""
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        name, _, rest = line.partition(":")
        if "-" in name:
            path = line[73:]
        elif name == "Rss":
            own += int(rest.split()[0])
        elif name in ("Shared_Clean", "Private_Clean") and path.startswith("/"):
            files[path] += int(rest.split()[0])
    return own - files.total(), files
