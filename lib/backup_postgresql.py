"""Backups of a PostgreSQL hub through the programs that PostgreSQL brings."""

import os
import shutil
import subprocess
from pathlib import Path

from sqlalchemy.engine import URL

from lib import keys
from lib.errors import ConfigError
from lib.seals import Vault


def back_up(url: URL, target: Path) -> None:
    """Write the database to `target` in pg_dump's custom format."""
    _run(url, "pg_dump", "--format=custom", "--no-owner", f"--file={target}", _address(url))


def restore(url: URL, source: Path, *, vault: Vault) -> None:
    """Replace the tables by those of `source` in one transaction; raise ConfigError if it fails.

    The dump must hold a canary that `vault` opens.
    """
    check_canary(url, source, vault=vault)
    load(url, source)


def check_canary(url: URL, source: Path, *, vault: Vault) -> None:
    """Raise ConfigError unless the dump holds a canary that `vault` opens."""
    facts = _run(
        url, "pg_restore", "--data-only", "--table=hub_facts", "--file=-", os.fspath(source)
    )
    # COPY writes a row as tab-separated columns: https://www.postgresql.org/docs/15/sql-copy.html
    rows = dict(line.split("\t", 1) for line in facts.splitlines() if line.count("\t") == 1)
    if keys.CANARY not in rows:
        raise ConfigError("The file is not a backup of a hub. Nothing was changed.")
    keys.open_canary(rows[keys.CANARY], vault)


def load(url: URL, source: Path) -> None:
    """Replace the tables of a database by those of `source` in one transaction."""
    _run(
        url,
        "pg_restore",
        "--clean",
        "--if-exists",
        "--no-owner",
        "--single-transaction",
        f"--dbname={_address(url)}",
        os.fspath(source),
    )


def _address(url: URL) -> str:
    # Arguments show in the list of processes, so the password goes by the environment.
    plain = URL.create(
        "postgresql", url.username, None, url.host, url.port, url.database, url.query
    )
    return plain.render_as_string(hide_password=False)


def _run(url: URL, program: str, *arguments: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise ConfigError(
            f"There is no {program} on this machine. Install PostgreSQL's client programs: "
            "apt-get install postgresql-client"
        )
    environment = dict(os.environ)
    if url.password:
        environment["PGPASSWORD"] = str(url.password)
    done = subprocess.run(  # noqa: S603 - a fixed program, and arguments without a shell
        [path, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        raise ConfigError(f"{program} failed, and nothing was changed. It said: {lines[0]}")
    return done.stdout
