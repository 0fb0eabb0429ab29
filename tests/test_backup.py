"""A backup brings back what was there, and a wrong one changes nothing."""

import base64
import os
import sqlite3
import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from lib import backup
from lib.errors import ConfigError, InvalidInput
from lib.hub import Hub, open_hub
from lib.settings import Settings
from lib.users import find_user
from tests.factories import make_user


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


def test_a_backup_of_a_newer_release_changes_nothing(sqlite_hub: Hub, tmp_path: Path) -> None:
    file = tmp_path / "hub.backup"
    backup.back_up(sqlite_hub.settings, file)
    connection = sqlite3.connect(file)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    with pytest.raises(ConfigError, match="does not know"):
        backup.restore(sqlite_hub.settings, file)


def test_missing_programs_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(database_url=SecretStr("postgresql://hub@127.0.0.1:1/hub"))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError, match="apt-get install postgresql-client"):
        backup.back_up(settings, tmp_path / "hub.backup")
