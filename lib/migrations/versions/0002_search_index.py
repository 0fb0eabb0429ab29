"""The full-text index over search_documents, in each engine's own way."""

from alembic import op

revision = "0002"
down_revision = "0001"

# External content: the words are stored once, in search_documents, and triggers keep the
# index in step (https://www.sqlite.org/fts5.html#external_content_tables).
_SQLITE = (
    "CREATE VIRTUAL TABLE search_index USING fts5("
    "text, content='search_documents', content_rowid='id', tokenize='unicode61')",
    "CREATE TRIGGER search_documents_added AFTER INSERT ON search_documents BEGIN "
    "INSERT INTO search_index(rowid, text) VALUES (new.id, new.text); END",
    "CREATE TRIGGER search_documents_removed AFTER DELETE ON search_documents BEGIN "
    "INSERT INTO search_index(search_index, rowid, text) "
    "VALUES ('delete', old.id, old.text); END",
)
_POSTGRESQL = (
    "CREATE INDEX ix_search_documents_text ON search_documents "
    "USING gin (to_tsvector('simple', text))",
)


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _SQLITE if sqlite else _POSTGRESQL:
        op.execute(statement)
