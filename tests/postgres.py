"""A PostgreSQL server for tests: the one that is named, or a throw-away cluster."""

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from tests.processes import free_port
from tests.scratch import scratch_folder

SERVER_VARIABLE = "HUB_TEST_POSTGRES_URL"
_BINARIES = Path("/usr/lib/postgresql")
# Tests lose nothing that matters when the machine does.
_VOLATILE = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"


class ServerMissing(Exception):
    """No server is named and none can be started; the message says what to install."""


@dataclass(frozen=True)
class PostgresServer:
    """A server on which tests make and drop databases of their own."""

    url: str

    def make_database(self, template: str = "template1") -> str:
        """Create a database with a fresh name and return its name."""
        name = f"hub_test_{uuid.uuid4().hex[:16]}"
        # Several times as fast as going through the log, where no other database is at work.
        self._run("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, template)
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is still connected."""
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def url_of(self, name: str) -> str:
        """Return the URL of a database on this server."""
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def _run(self, statement: str, *names: str) -> None:
        address = make_url(self.url).set(drivername="postgresql")
        with psycopg.connect(
            address.render_as_string(hide_password=False), autocommit=True
        ) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@contextmanager
def run_postgres(
    options: str = _VOLATILE, *, at: Path | None = None, port: int | None = None
) -> Iterator[PostgresServer]:
    """Yield the server of HUB_TEST_POSTGRES_URL, else a cluster that is removed at the end.

    `options` are command line options of the cluster's server; one that is to keep nothing may
    be in memory. A cluster `at` a folder of its own is made there or used again, and stays; it
    listens on `port`, or on any that is free.
    """
    if at is not None:
        if os.geteuid() == 0:
            shutil.chown(at, "postgres", "postgres")
        yield from _run_cluster(_find_binaries(), at / "data", options, port or free_port())
        return
    if named := os.environ.get(SERVER_VARIABLE):
        yield PostgresServer(named)
        return
    binaries = _find_binaries()
    parent = scratch_folder() if options == _VOLATILE else "/tmp"
    folder = Path(tempfile.mkdtemp(prefix="hub-postgres-", dir=parent))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    try:
        yield from _run_cluster(binaries, folder / "data", options, free_port())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run_cluster(binaries: Path, data: Path, options: str, port: int) -> Iterator[PostgresServer]:
    options = (
        f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={data} "
        f"-c max_connections=200 {options}"
    )
    control = [str(binaries / "pg_ctl"), "-D", str(data), "-w"]
    if not data.exists():
        _run([str(binaries / "initdb"), "-D", str(data), "-A", "trust", "-U", "postgres", "-N"])
    _run([*control, "-l", str(data / "log"), "-o", options, "start"])
    try:
        yield PostgresServer(f"postgresql://postgres@127.0.0.1:{port}/postgres")
    finally:
        _run([*control, "-m", "fast", "stop"])


def _run(command: list[str]) -> None:
    # PostgreSQL refuses to run as root.
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run(
        [*prefix, *command],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        cwd="/tmp",
    )


def _find_binaries() -> Path:
    versions = sorted(
        (path for path in _BINARIES.glob("*/bin") if path.parent.name.isdigit()),
        key=lambda path: int(path.parent.name),
    )
    for path in reversed(versions):
        if int(path.parent.name) >= 15 and (path / "initdb").exists():
            return path
    raise ServerMissing(
        "There is no PostgreSQL 15 or newer: apt-get install postgresql-15, "
        f"or name a server in {SERVER_VARIABLE}"
    )
