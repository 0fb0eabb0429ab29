"""What every use case works with: the settings, the database and the vault of one process."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from lib.database import Database
from lib.errors import ConfigError
from lib.schema import pending_revision
from lib.settings import Settings
from lib.vault import keys
from lib.vault.seals import Vault


@dataclass(frozen=True)
class Hub:
    """The open parts of one installation."""

    settings: Settings
    database: Database
    vault: Vault

    def close(self) -> None:
        """Give the database connections back."""
        self.database.close()


def prepare_hub(settings: Settings) -> Hub:
    """Migrate the database, make the first key on a new hub, and open it.

    A hub whose key is lost is never given a new one: its canary would not open, and every
    stored credential would be blank.
    """
    # Alembic costs a process 11 MB, and the receiver and the worker never migrate.
    from lib.migrate import migrate

    with ExitStack() as on_failure:
        database = Database(settings.database_url.get_secret_value())
        on_failure.callback(database.close)
        with _reporting_outage():
            migrate(database)
        with database.read() as session:
            is_new = not keys.has_canary(session)
        if is_new and settings.master_keys is None:
            keys.create_key_file(settings.key_file)
        hub = _open(settings, database)
        on_failure.pop_all()
    return hub


def open_hub(settings: Settings) -> Hub:
    """Open a hub that `prepare_hub` has prepared.

    Raises ConfigError when the database cannot be reached, is not migrated, or belongs to
    another key.
    """
    with ExitStack() as on_failure:
        database = Database(settings.database_url.get_secret_value())
        on_failure.callback(database.close)
        with _reporting_outage():
            revision = pending_revision(database)
        if revision is not None:
            raise ConfigError(
                f"The database is not at revision {revision}. Run `python -m lib.cli migrate`."
            )
        hub = _open(settings, database)
        on_failure.pop_all()
    return hub


@contextmanager
def _reporting_outage() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise ConfigError(
            f"The database does not answer ({type(error.orig).__name__}). Check "
            "HUB_DATABASE_URL and that the server runs."
        ) from error


def _open(settings: Settings, database: Database) -> Hub:
    vault = keys.load_vault(settings)
    with database.write() as session:
        keys.check_canary(session, vault)
    return Hub(settings=settings, database=database, vault=vault)
