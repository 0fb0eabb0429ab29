"""One set of revisions: the same schema on both engines, and safe to run four times at once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from lib.database import Database
from lib.errors import ConfigError
from lib.migrate import check_known_revision, head_revision, migrate
from lib.models import Base
from lib.schema import HEAD, pending_revision
from tests.postgres import PostgresServer
from tests.processes import migrate_url, run_at_once

Schema = dict[str, dict[str, object]]


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Database]:
    """A database without tables, once per engine."""
    database = Database(empty_database_url)
    yield database
    database.close()


def _is_ours(name: str) -> bool:
    return name != "alembic_version" and not name.startswith("search_index")


def _reflect(url: str) -> Schema:
    database = Database(url)
    look = inspect(database.engine)
    schema: Schema = {}
    for table in filter(_is_ours, look.get_table_names()):
        schema[table] = {
            "columns": [(c["name"], c["nullable"]) for c in look.get_columns(table)],
            "primary": look.get_pk_constraint(table)["constrained_columns"],
            "foreign": sorted(
                (fk["constrained_columns"], fk["referred_table"], fk["options"].get("ondelete"))
                for fk in look.get_foreign_keys(table)
            ),
            "unique": sorted(u["column_names"] for u in look.get_unique_constraints(table)),
            "indexes": sorted(
                (index["name"], tuple(index["column_names"]), bool(index["unique"]))
                for index in look.get_indexes(table)
                # The text index of PostgreSQL stands for the search_index tables of SQLite.
                if "duplicates_constraint" not in index
                and index["name"] != "ix_search_documents_text"
            ),
        }
    database.close()
    return schema


def test_both_engines_get_the_same_schema(
    sqlite_url: str, postgres_server: PostgresServer, postgres_template: str
) -> None:
    assert _reflect(sqlite_url) == _reflect(postgres_server.url_of(postgres_template))


def test_the_revisions_say_what_the_models_say(database_url: str) -> None:
    database = Database(database_url)
    options = {
        "include_name": lambda name, kind, _parents: kind != "table" or _is_ours(name),
        "include_object": lambda _object, name, *_rest: name != "ix_search_documents_text",
    }
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []
    database.close()


def test_migrating_again_changes_nothing(empty: Database) -> None:
    assert pending_revision(empty) is not None
    migrate(empty)
    assert pending_revision(empty) is None
    migrate(empty)
    check_known_revision(empty)


def test_the_revision_that_processes_ask_for_is_the_newest() -> None:
    assert head_revision() == HEAD


def test_an_unknown_revision_is_refused(empty: Database) -> None:
    with pytest.raises(ConfigError, match="does not know"):
        check_known_revision(empty)


def test_four_processes_may_migrate_at_once(empty: Database, empty_database_url: str) -> None:
    run_at_once(migrate_url, [empty_database_url] * 4)
    assert pending_revision(empty) is None


def test_a_new_sqlite_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'hub.db'}")
    migrate(database)
    database.close()
    assert (tmp_path / "hub.db").stat().st_mode & 0o777 == 0o600
