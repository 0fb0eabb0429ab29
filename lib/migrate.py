"""Bringing the schema up to date, safely when several processes start at once."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from lib.database import Database

_SCRIPTS = Path(__file__).parent / "migrations"
# Any constant will do, as long as every hub process uses the same one.
_ADVISORY_LOCK = 7_204_518


def migrate(database: Database) -> None:
    """Apply every missing revision in one transaction that other migrators wait for."""
    engine = database.engine.execution_options(hub_writes=True)
    with engine.begin() as connection:
        if not database.is_sqlite:
            connection.execute(
                text("SELECT pg_advisory_xact_lock(:n)"), {"n": _ADVISORY_LOCK}
            )
        command.upgrade(_config(connection), "head")


def pending_revision(database: Database) -> str | None:
    """Return the revision that the code needs if the database is not at it, else None."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    with database.engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return None if current == head else head


def alembic_config(connection: Connection) -> Config:
    """Return Alembic's configuration for `connection`, without an ini file."""
    return _config(connection)


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = connection
    return config
