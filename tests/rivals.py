"""Another connection to PostgreSQL that holds locks and takes more, as a test says."""

import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import psycopg

from lib.hub import Hub

# A row that is changed is waited for by whoever inserts its key again; a locked one is not.
LOCK = "SELECT id FROM webhook_events WHERE id = %s FOR UPDATE"
_PATIENCE_SECONDS = 20


@contextmanager
def rival_of(hub: Hub) -> Iterator[psycopg.Connection[Any]]:
    """Yield a connection that is within a transaction; a deadlock with it has another victim."""
    address = hub.database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    options = f"-c deadlock_timeout=60s -c lock_timeout={_PATIENCE_SECONDS}s"
    with psycopg.connect(address, options=options) as connection:
        yield connection


def wait_until_blocked_by(rival: psycopg.Connection[Any], work: Future[Any]) -> None:
    """Return once `work`, or anybody, waits for a lock of `rival`."""
    query = (
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = "
        "ANY(pg_blocking_pids(pid))"
    )
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while rival.execute(query).fetchone() == (0,):
        assert not work.done(), "it waited for nothing"
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.005)
