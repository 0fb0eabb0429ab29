"""Backups of a PostgreSQL hub through the programs that PostgreSQL brings."""

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, cast

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DatabaseError

from lib.errors import ConfigError
from lib.vault import keys
from lib.vault.seals import Vault

# What a URL may say in its query and the list of processes must not, by libpq's name for it:
# https://www.postgresql.org/docs/15/libpq-envars.html
_BY_ENVIRONMENT = {"password": "PGPASSWORD", "passfile": "PGPASSFILE"}
# A table of a newer release may refer to those of the dump, and a function of it would be in the
# way of the migration, so all go and not the dump's alone. An extension's go with the extension.
_DROP_ALL = """
SET client_min_messages = warning;
DO $$ DECLARE found regclass; work regprocedure; BEGIN
  FOR found IN
    SELECT oid FROM pg_class WHERE relnamespace = current_schema()::regnamespace
    AND relkind IN ('r', 'p') AND NOT relispartition AND NOT EXISTS (
      SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid
      AND deptype = 'e')
  LOOP EXECUTE format('DROP TABLE %s CASCADE', found); END LOOP;
  FOR work IN
    SELECT oid FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
    AND prokind = 'f' AND NOT EXISTS (
      SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid
      AND deptype = 'e')
  LOOP EXECUTE format('DROP FUNCTION %s CASCADE', work); END LOOP;
END $$;
"""


def back_up(url: URL, target: Path) -> None:
    """Write the database to `target` in pg_dump's custom format."""
    _run(url, "pg_dump", "--format=custom", "--no-owner", f"--file={target}", _address(url))


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


@contextmanager
def restored_beside(url: URL, source: Path) -> Iterator[str]:
    """Yield the URL of a database on the same server that holds `source`, and is dropped then."""
    with _spare_database(url) as spare:
        _run(
            spare,
            "pg_restore",
            "--no-owner",
            "--single-transaction",
            f"--dbname={_address(spare)}",
            os.fspath(source),
        )
        yield spare.render_as_string(hide_password=False)


def replace(url: URL, source: Path) -> None:
    """Put the tables of `source` in the place of all that are there, or change nothing.

    pg_restore alone drops what the dump names and nothing else, so its script runs in psql,
    in a transaction that is committed only when the whole of the script has come.
    """
    psql = _command("psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", _address(url))
    script = _command(
        "pg_restore", "--clean", "--if-exists", "--no-owner", "--file=-", os.fspath(source)
    )
    with subprocess.Popen(  # noqa: S603 - a fixed program, and arguments without a shell
        psql,
        # What a buffer still held would be written to a psql that may have ended.
        bufsize=0,
        env=_environment(url),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as running:
        reader = cast("IO[bytes]", running.stdin)
        with suppress(BrokenPipeError):
            reader.write(f"BEGIN;{_DROP_ALL}".encode())
        written = subprocess.run(  # noqa: S603 - as above
            script, stdout=reader, stderr=subprocess.PIPE, text=True, check=False
        )
        _, complaints = running.communicate(b"" if written.returncode else b"COMMIT;\n")
    # psql's comes first: when it ends early, pg_restore only complains of the broken pipe.
    _raise_if_failed("psql", running.returncode, complaints.decode("utf-8", "replace"))
    _raise_if_failed("pg_restore", written.returncode, written.stderr)


@contextmanager
def _spare_database(url: URL) -> Iterator[URL]:
    name = f"hub_restore_test_{secrets.token_hex(6)}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        try:
            with engine.connect() as connection:
                connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE template0'))
        except DatabaseError as error:
            raise ConfigError(
                "The hub's user may not make a database for the test on this server. Grant it: "
                f"ALTER ROLE {url.username or 'hub'} CREATEDB"
            ) from error
        try:
            yield url.set(database=name)
        finally:
            with engine.connect() as connection:
                connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
    finally:
        engine.dispose()


def _address(url: URL) -> str:
    """Return the URL as an argument, which the list of processes shows: without its secrets."""
    if "sslpassword" in url.query:
        raise ConfigError(
            "The programs of PostgreSQL take no sslpassword that other users of this machine "
            "could not read. Use a client key without a pass phrase, in a file of mode 0600."
        )
    query = {name: value for name, value in url.query.items() if name not in _BY_ENVIRONMENT}
    plain = URL.create("postgresql", url.username, None, url.host, url.port, url.database, query)
    return plain.render_as_string(hide_password=False)


def _environment(url: URL) -> Mapping[str, str]:
    # The query's password is the one that counts, as it is for the hub's own connections.
    secret = {"password": url.password, **url.query}
    given = {variable: secret.get(name) for name, variable in _BY_ENVIRONMENT.items()}
    return {**os.environ, **{name: str(value) for name, value in given.items() if value}}


def _run(url: URL, program: str, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 - a fixed program, and arguments without a shell
        _command(program, *arguments),
        env=_environment(url),
        capture_output=True,
        text=True,
        check=False,
    )
    _raise_if_failed(program, done.returncode, done.stderr)
    return done.stdout


def _command(program: str, *arguments: str) -> list[str]:
    path = shutil.which(program)
    if path is None:
        raise ConfigError(
            f"There is no {program} on this machine. Install PostgreSQL's client programs: "
            "apt-get install postgresql-client"
        )
    return [path, *arguments]


def _raise_if_failed(program: str, status: int, complaints: str) -> None:
    if status:
        lines = complaints.strip().splitlines() or ["no reason given"]
        raise ConfigError(f"{program} failed, and nothing was changed. It said: {lines[0]}")
