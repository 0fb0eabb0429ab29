"""Runs the revisions on the connection that `lib.migrate` gives."""

from alembic import context

from lib.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    include_name=lambda name, kind, _parents: (
        not (kind == "table" and name is not None and name.startswith("search_index"))
    ),
)
context.run_migrations()
