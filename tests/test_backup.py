"""A backup brings back what was there, and a wrong one changes nothing."""

import base64
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from pydantic import SecretStr
from sqlalchemy import MetaData, Table, insert, text
from sqlalchemy.engine import make_url

from lib.access import Actor
from lib.backups import files as backup
from lib.backups import postgresql as backup_postgresql
from lib.clock import now
from lib.database import Database
from lib.errors import ConfigError, InvalidInput
from lib.hub import Hub, open_hub
from lib.ids import new_id
from lib.models import AlertChannel
from lib.people.users import find_user
from lib.schema import pending_revision
from lib.settings import Settings
from lib.vault import keys
from tests.factories import make_user
from tests.postgres import PostgresServer

OLD_USER = "grace@example.com"


@pytest.fixture
def old(hub: Hub, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database as a release of revision 0005 left it, with a user, of the engine of `hub`."""
    if hub.database.is_sqlite:
        yield from _leave_old(Database(f"sqlite:///{tmp_path / 'old.db'}"), hub)
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = server.make_database()
    yield from _leave_old(Database(server.url_of(name)), hub)
    server.drop_database(name)


def _leave_old(database: Database, hub: Hub) -> Iterator[Database]:
    config = Config()
    config.set_main_option("script_location", "lib/migrations")
    with database.engine.execution_options(hub_writes=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0005")
        users = Table("users", MetaData(), autoload_with=connection)
        given = {"name": "Grace", "password_hash": "!", "role": "member", "is_active": True}
        times = {"created_at": now(), "updated_at": now(), "must_change_password": False}
        values = {"id": "usr_old", "email": OLD_USER, **given, **times}
        connection.execute(insert(users), [values])
    with database.write() as session:
        keys.check_canary(session, hub.vault)
    yield database
    database.close()


def set_revision(database: Database, revision: str) -> str:
    """Say of a database that a release of this revision wrote it; return what was said before."""
    with database.write() as session:
        before = session.connection().execute(text("SELECT version_num FROM alembic_version"))
        session.connection().execute(
            text("UPDATE alembic_version SET version_num = :n"), {"n": revision}
        )
        return str(before.scalar_one())


def make_channel(hub: Hub, owner: Actor) -> str:
    """Insert a row of a table that revision 0005 does not have."""
    row = AlertChannel(
        id=new_id("chn"),
        user_id=owner.id,
        name="Mail",
        kind="email",
        config_data={},
        credentials={},
        alert_kinds=["*"],
        is_active=True,
        created_at=now(),
        updated_at=now(),
    )
    channel_id = row.id
    with hub.database.write() as session:
        session.add(row)
    return channel_id


def test_a_restore_brings_back_what_was_there(hub: Hub, tmp_path: Path) -> None:
    ada = make_user(hub)
    file = tmp_path / "hub.backup"
    backup.back_up(hub.settings, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    make_user(hub, email="late@example.com")
    hub.close()

    kept = backup.restore(hub.settings, file)
    again = open_hub(hub.settings)
    assert find_user(again, ada.email) is not None
    assert find_user(again, "late@example.com") is None
    assert (kept is not None) == again.database.is_sqlite
    again.close()


def test_a_backup_never_overwrites(hub: Hub, tmp_path: Path) -> None:
    file = tmp_path / "hub.backup"
    file.write_text("mine")
    with pytest.raises(InvalidInput, match="exists already"):
        backup.back_up(hub.settings, file)
    assert file.read_text() == "mine"


def test_a_failed_backup_leaves_no_file(tmp_path: Path) -> None:
    settings = Settings(database_url=SecretStr(f"sqlite:///{tmp_path}/none.db"))
    with pytest.raises(ConfigError, match="no database"):
        backup.back_up(settings, tmp_path / "hub.backup")
    assert not (tmp_path / "hub.backup").exists()


def test_a_backup_of_another_key_changes_nothing(hub: Hub, tmp_path: Path) -> None:
    make_user(hub)
    file = tmp_path / "hub.backup"
    backup.back_up(hub.settings, file)
    other = SecretStr(base64.b64encode(os.urandom(32)).decode())
    with pytest.raises(ConfigError, match="does not belong"):
        backup.restore(hub.settings.model_copy(update={"master_keys": other}), file)
    assert find_user(hub, "ada@example.com") is not None


def test_another_file_changes_nothing(hub: Hub, tmp_path: Path) -> None:
    make_user(hub)
    file = tmp_path / "letter.txt"
    file.write_text("Dear Ada, " * 1000)
    with pytest.raises(ConfigError, match="othing was changed"):
        backup.restore(hub.settings, file)
    with pytest.raises(InvalidInput, match="no file"):
        backup.restore(hub.settings, tmp_path / "none")
    assert find_user(hub, "ada@example.com") is not None


def test_a_backup_of_a_newer_release_changes_nothing(hub: Hub, tmp_path: Path) -> None:
    file = tmp_path / "hub.backup"
    known = set_revision(hub.database, "9999")
    backup.back_up(hub.settings, file)
    set_revision(hub.database, known)
    make_user(hub)
    with pytest.raises(ConfigError, match="does not know"):
        backup.restore(hub.settings, file)
    assert find_user(hub, "ada@example.com") is not None
    assert pending_revision(hub.database) is None


def test_a_backup_of_an_older_release_is_restored_and_brought_up_to_date(
    hub: Hub, old: Database, tmp_path: Path
) -> None:
    file = tmp_path / "hub.backup"
    late = make_user(hub)
    # Tables that the backup does not know refer to some that it does.
    channel_id = make_channel(hub, late)
    address = SecretStr(old.url.render_as_string(hide_password=False))
    backup.back_up(hub.settings.model_copy(update={"database_url": address}), file)
    hub.close()

    backup.restore(hub.settings, file)
    again = open_hub(hub.settings)
    assert pending_revision(again.database) is None
    assert find_user(again, OLD_USER) is not None
    assert find_user(again, late.email) is None
    with again.database.read() as session:
        assert session.get(AlertChannel, channel_id) is None
    again.close()


def test_a_load_that_fails_half_way_changes_nothing(hub: Hub, tmp_path: Path) -> None:
    if hub.database.is_sqlite:
        return
    make_user(hub)
    file = tmp_path / "hub.backup"
    backup.back_up(hub.settings, file)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) * 3 // 4])
    with pytest.raises(ConfigError, match="nothing was changed"):
        backup_postgresql.replace(hub.database.url, file)
    assert find_user(hub, "ada@example.com") is not None
    file.write_bytes(whole)
    nowhere = hub.database.url.set(database="hub_none")
    with pytest.raises(ConfigError, match=r"psql failed.*hub_none"):
        backup_postgresql.replace(nowhere, file)


def test_missing_programs_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(database_url=SecretStr("postgresql://hub@127.0.0.1:1/hub"))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError, match="apt-get install postgresql-client"):
        backup.back_up(settings, tmp_path / "hub.backup")


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://hub:hunter2@h/hub?passfile=/run/pass",
        "postgresql+psycopg://h/hub?user=hub&password=hunter2&passfile=/run/pass&sslmode=require",
        "postgresql://hub:wrong@h/hub?password=hunter2&passfile=/run/pass",
    ],
)
def test_no_secret_of_the_address_shows_in_the_list_of_processes(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = tmp_path / "said"
    for program in ("pg_dump", "pg_restore", "psql"):
        script = tmp_path / program
        script.write_text(
            f'#!/bin/sh\necho "$0 $*" >> {said}\necho "$PGPASSWORD $PGPASSFILE" >> {said}.secret\n'
        )
        script.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    backup.back_up(Settings(database_url=SecretStr(address)), tmp_path / "hub.backup")
    backup_postgresql.replace(make_url(address), tmp_path / "hub.backup")
    shown = said.read_text()
    assert "hunter2" not in shown
    assert "/run/pass" not in shown
    assert ("sslmode=require" in shown) == ("sslmode" in address)
    given = Path(f"{said}.secret").read_text().splitlines()
    assert given.count("hunter2 /run/pass") == 2, "pg_restore writes to psql and needs none"


def test_a_pass_phrase_that_would_show_is_refused(tmp_path: Path) -> None:
    settings = Settings(database_url=SecretStr("postgresql://hub@h/hub?sslpassword=hunter2"))
    with pytest.raises(ConfigError, match="without a pass phrase") as refused:
        backup.back_up(settings, tmp_path / "hub.backup")
    assert "hunter2" not in str(refused.value)
    assert not (tmp_path / "hub.backup").exists()
