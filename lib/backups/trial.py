"""Whether a backup can be restored: it is, into a database beside the hub that goes again."""

import shutil
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DatabaseError
from sqlmodel import select

from lib.backups import files, postgresql
from lib.database import Database
from lib.errors import ConfigError, HubError, InvalidInput
from lib.models import IntegrationConfig, User, WebhookEvent
from lib.schema import pending_revision
from lib.settings import Settings
from lib.vault import keys


@dataclass(frozen=True)
class Proof:
    """What the restored database holds, and whether a release of an older schema wrote it."""

    users: int
    integrations: int
    events: int
    needs_migration: bool


def try_restore(settings: Settings, source: Path) -> Proof:
    """Restore `source` into a database of its own and return what is in it.

    Raises HubError with what is wrong: no file, damaged, of another key, of an unknown release,
    or empty. The hub's own database is not touched.
    """
    if not source.is_file():
        raise InvalidInput(f"There is no file {source} any more. Make another.", field="file")
    url = make_url(settings.database_url.get_secret_value())
    if url.get_backend_name() == "sqlite":
        return _try_sqlite(settings, source)
    return _try_postgresql(settings, url, source)


def _try_sqlite(settings: Settings, source: Path) -> Proof:
    try:
        with tempfile.TemporaryDirectory(dir=source.parent, prefix=".restore-test-") as folder:
            draft = Path(folder) / "restored.db"
            shutil.copyfile(source, draft)
            with closing(Database(f"sqlite:///{draft}")) as database:
                files.check_integrity(database)
                return _examine(settings, database)
    except DatabaseError as error:
        raise ConfigError("The file is not a backup of a SQLite hub. Make another.") from error
    except OSError as error:
        raise HubError(
            f"There is no room to restore it beside {source} ({error.strerror}). Free some space."
        ) from error


def _try_postgresql(settings: Settings, url: URL, source: Path) -> Proof:
    postgresql.check_canary(url, source, vault=keys.load_vault(settings))
    with (
        postgresql.restored_beside(url, source) as spare,
        closing(Database(spare)) as database,
    ):
        return _examine(settings, database)


def _examine(settings: Settings, database: Database) -> Proof:
    # Alembic is loaded where a restore is, and by nothing that imports this.
    from lib.migrate import check_known_revision

    check_known_revision(database)
    with database.write() as session:
        if not keys.has_canary(session):
            raise ConfigError("The file is not a backup of a hub: it holds no proof of its key.")
        keys.check_canary(session, keys.load_vault(settings))
        users, integrations, events = (
            session.exec(select(func.count()).select_from(table)).one()
            for table in (User, IntegrationConfig, WebhookEvent)
        )
    if not users:
        raise ConfigError("The backup restores, but holds no user. Make another.")
    return Proof(users, integrations, events, pending_revision(database) is not None)
