"""Bringing the schema up to date, safely when several processes start at once."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from lib.database import Database, sqlite_path
from lib.errors import ConfigError

_SCRIPTS = Path(__file__).parent / "migrations"
# Any constant will do, as long as every hub process uses the same one.
_ADVISORY_LOCK = 7_204_518


def migrate(database: Database) -> None:
    """Apply every missing revision in one transaction that other migrators wait for."""
    if database.is_sqlite:
        # Payloads are personal data: the file, and its WAL with it, is for this user alone.
        sqlite_path(database.url).touch(mode=0o600)
    engine = database.engine.execution_options(hub_writes=True)
    with engine.begin() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _ADVISORY_LOCK})
        command.upgrade(_config(connection), "head")


def head_revision() -> str | None:
    """Return the newest revision of the scripts; `lib.schema.HEAD` repeats it."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def check_known_revision(database: Database) -> None:
    """Raise ConfigError for a database that no release up to this one has written."""
    with database.engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if current not in known:
        raise ConfigError(
            f"The database is at revision {current or 'none'}, which this release does not know. "
            "Nothing was changed. Use the release that wrote it, or a newer one."
        )


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = connection
    return config
