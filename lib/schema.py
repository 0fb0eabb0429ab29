"""Which revision of the schema the code needs, told without loading Alembic."""

from sqlalchemy import inspect, text

from lib.database import Database

HEAD = "0007"


def pending_revision(database: Database) -> str | None:
    """Return the revision that the code needs if the database is not at it, else None."""
    with database.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return HEAD
        current = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if current == HEAD else HEAD
