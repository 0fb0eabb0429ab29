"""Backups of the database in one file. The master keys are never in it: keep them apart."""

import os
import shutil
import sqlite3
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path

from sqlalchemy.exc import DatabaseError

from lib.backups import postgresql
from lib.clock import now
from lib.database import Database, sqlite_path
from lib.errors import ConfigError, InvalidInput
from lib.migrate import check_known_revision, migrate
from lib.settings import Settings
from lib.vault import keys
from lib.vault.seals import Vault


def back_up(settings: Settings, target: Path) -> None:
    """Write the database to `target`, which only its owner may read, while the hub runs.

    Raises InvalidInput when the file exists.
    """
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise InvalidInput(
            f"{target} exists already. Give the backup another name.", field="file"
        ) from None
    except OSError as error:
        raise InvalidInput(
            f"{target} cannot be written ({error.strerror}). Name a file in a folder of yours.",
            field="file",
        ) from error
    with ExitStack() as on_failure:
        on_failure.callback(target.unlink)
        _write(settings, target)
        on_failure.pop_all()


def restore(settings: Settings, source: Path) -> Path | None:
    """Replace the database by a backup once it proved whole, known and of the present key.

    Returns the file that holds what was there before, or None. An older backup is migrated.
    """
    if not source.is_file():
        raise InvalidInput(f"There is no file {source}. Name a backup.", field="file")
    url = settings.database_url.get_secret_value()
    vault = keys.load_vault(settings)
    with closing(Database(url)) as database:
        if not database.is_sqlite:
            _replace_postgresql(database, source, vault=vault)
            return None
        path = sqlite_path(database.url)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        draft = Path(folder) / "restored.db"
        shutil.copyfile(source, draft)
        _prove_file(draft, vault=vault)
        kept = _keep_present(path)
        _copy(draft, path)
    path.chmod(0o600)
    return kept


def _write(settings: Settings, target: Path) -> None:
    with closing(Database(settings.database_url.get_secret_value())) as database:
        if not database.is_sqlite:
            postgresql.back_up(database.url, target)
            return
        path = sqlite_path(database.url)
    if not path.exists():
        raise ConfigError(f"There is no database at {path}. Check HUB_DATABASE_URL.")
    _copy(path, target)


def _copy(source: Path, target: Path) -> None:
    """Copy a database page by page in one transaction, whoever else has it open."""
    with closing(sqlite3.connect(source)) as origin, closing(sqlite3.connect(target)) as copy:
        origin.backup(copy)


def _replace_postgresql(database: Database, source: Path, *, vault: Vault) -> None:
    postgresql.check_canary(database.url, source, vault=vault)
    with (
        postgresql.restored_beside(database.url, source) as spare,
        closing(Database(spare)) as draft,
    ):
        _prove(draft, vault=vault)
    postgresql.replace(database.url, source)
    migrate(database)


def _prove_file(draft: Path, *, vault: Vault) -> None:
    with closing(Database(f"sqlite:///{draft}")) as database:
        try:
            check_integrity(database)
            _prove(database, vault=vault)
        except DatabaseError as error:
            raise ConfigError(
                "The file is not a backup of a SQLite hub. Nothing was changed."
            ) from error


def _prove(database: Database, *, vault: Vault) -> None:
    """Bring what was restored beside the hub up to date; raise ConfigError if it is not a hub's."""
    check_known_revision(database)
    migrate(database)
    with database.write() as session:
        keys.check_canary(session, vault)


def check_integrity(database: Database) -> None:
    """Raise ConfigError unless every page of a SQLite file is whole."""
    with database.read() as session:
        state = session.connection().exec_driver_sql("PRAGMA integrity_check").scalar()
    if state != "ok":
        raise ConfigError("The backup is damaged. Nothing was changed: use another.")


def _keep_present(path: Path) -> Path | None:
    if not path.exists():
        return None
    kept = path.with_name(f"{path.name}.before-restore-{now():%Y%m%dT%H%M%S}")
    os.close(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    _copy(path, kept)
    return kept
