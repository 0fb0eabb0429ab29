"""Totals of the hourly counts, which triggers keep equal to them."""

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0007"
down_revision = "0006"

# Any constant of our own will do; lib.migrate has another.
_LOCK = 7_204_519


@dataclass(frozen=True)
class _Kept:
    """A table of totals: the rollups it sums up, whose place they are of, what tells it apart."""

    table: str
    rollups: str
    place: str
    columns: tuple[str, ...]
    numbers: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, ...]:
        return ("scope", "span", "since", *self.columns)


_TABLES = (
    _Kept("event_totals", "hourly_rollups", "integration_id", ("service_name", "outcome")),
    _Kept(
        "delivery_totals",
        "delivery_rollups",
        "destination_id",
        ("outcome", "attempt"),
        numbers=("attempt",),
    ),
    _Kept("latency_totals", "delivery_rollups", "destination_id", ("bucket",), numbers=("bucket",)),
    _Kept(
        "failure_totals",
        "failure_rollups",
        "destination_id",
        ("error_class", "response_status"),
        numbers=("response_status",),
    ),
    _Kept("message_totals", "message_rollups", "integration_id", ("kind", "state", "error_code")),
    _Kept(
        "duration_totals",
        "duration_rollups",
        "integration_id",
        ("measure", "bucket"),
        numbers=("bucket",),
    ),
)


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for kept in _TABLES:
        _create(kept)
        # The triggers first: on PostgreSQL their locks keep writers out until the end.
        for statement in _triggers(kept) if is_sqlite else _deferred_trigger(kept):
            op.execute(statement)
    for statement in fill_statements(is_sqlite=is_sqlite):
        op.execute(statement)


def fill_statements(*, is_sqlite: bool) -> Iterator[str]:
    """Yield what makes the totals of a hub that has counts already; its tables are empty.

    Rows go in by their keys, so that those of a scope lie beside one another on the disk.
    """
    for kept in _TABLES:
        columns = ", ".join(kept.columns)
        into = f"INSERT INTO {kept.table} ({', '.join(kept.key)}, count)"
        for scope in ("''", "user_id", kept.place):
            keys = f"hour, {columns}" if scope == "''" else f"{scope}, hour, {columns}"
            yield (
                f"{into} SELECT {scope}, 'hour', hour, {columns}, sum(count) "
                f"FROM {kept.rollups} GROUP BY {keys} ORDER BY {keys}"
            )
        day = _day("since", is_sqlite=is_sqlite)
        yield (
            f"{into} SELECT scope, 'day', {day}, {columns}, sum(count) FROM {kept.table} "
            f"WHERE span = 'hour' GROUP BY scope, {day}, {columns} ORDER BY scope, {day}"
        )
        if not is_sqlite:
            # What PostgreSQL would find out a minute later by itself.
            yield f"ANALYZE {kept.table}"


def _create(kept: _Kept) -> None:
    text, moment = sqlmodel.sql.sqltypes.AutoString(), sqlmodel.sql.sqltypes.UTCDateTime()
    kinds = dict.fromkeys(kept.key, text) | {"since": moment}
    kinds |= {name: sa.Integer() for name in kept.numbers}
    op.create_table(
        kept.table,
        *(sa.Column(name, kinds[name], nullable=False) for name in kept.key),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(*kept.key, name=op.f(f"pk_{kept.table}")),
        sqlite_with_rowid=False,
    )


def _triggers(kept: _Kept) -> Iterator[str]:
    """Yield SQLite's; a count that comes to nothing leaves no row behind."""
    for event, row, change in (
        ("INSERT", "new", "new.count"),
        ("UPDATE OF count", "new", "new.count - old.count"),
        ("DELETE", "old", "-old.count"),
    ):
        name = f"{kept.table}_{event.split()[0].lower()}"
        columns = ", ".join(f"{row}.{column}" for column in kept.columns)
        scopes = ("''", f"{row}.user_id", f"{row}.{kept.place}")
        spans = {"hour": f"{row}.hour", "day": _day(f"{row}.hour", is_sqlite=True)}
        values = ", ".join(
            f"({scope}, '{span}', {since}, {columns}, {change})"
            for scope in scopes
            for span, since in spans.items()
        )
        same = " AND ".join(f"{column} = {row}.{column}" for column in kept.columns)
        emptied = (
            f"DELETE FROM {kept.table} WHERE scope IN ({', '.join(scopes)}) "
            f"AND span IN ('hour', 'day') AND since IN ({', '.join(spans.values())}) "
            f"AND {same} AND count = 0; "
        )
        yield (
            f"CREATE TRIGGER {name} AFTER {event} ON {kept.rollups} BEGIN "
            f"INSERT INTO {kept.table} ({', '.join(kept.key)}, count) VALUES {values} "
            f"ON CONFLICT ({', '.join(kept.key)}) DO UPDATE SET count = count + excluded.count; "
            f"{emptied if event == 'DELETE' else ''}END"
        )


def _deferred_trigger(kept: _Kept) -> Iterator[str]:
    """Yield PostgreSQL's function and trigger, which add at the end of the transaction.

    Writers share the rows of the whole hub. At the end they hold all else that they need, so
    one after another they get the lock, and none waits for one that waits for it.
    """
    changed = ", ".join(f"changed.{column}" for column in kept.columns)
    key = ", ".join(kept.key)
    same = " AND ".join(f"kept.{column} = changed.{column}" for column in kept.columns)
    day = _day("changed.hour", is_sqlite=False)
    yield f"""
CREATE FUNCTION keep_{kept.table}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed {kept.rollups}%ROWTYPE;
    change integer;
BEGIN
    IF TG_OP = 'INSERT' THEN
        changed := NEW; change := NEW.count;
    ELSIF TG_OP = 'UPDATE' THEN
        changed := NEW; change := NEW.count - OLD.count;
    ELSE
        changed := OLD; change := -OLD.count;
    END IF;
    PERFORM pg_advisory_xact_lock({_LOCK});
    INSERT INTO {kept.table} AS kept ({key}, count)
    SELECT scopes.scope, spans.span, spans.since, {changed}, change
    FROM (VALUES (''), (changed.user_id), (changed.{kept.place})) AS scopes(scope),
        (VALUES ('hour', changed.hour), ('day', {day})) AS spans(span, since)
    ON CONFLICT ({key}) DO UPDATE SET count = kept.count + excluded.count;
    IF TG_OP = 'DELETE' THEN
        DELETE FROM {kept.table} AS kept
        WHERE kept.scope IN ('', changed.user_id, changed.{kept.place})
        AND kept.span IN ('hour', 'day') AND kept.since IN (changed.hour, {day})
        AND {same} AND kept.count = 0;
    END IF;
    RETURN NULL;
END $$"""
    yield (
        f"CREATE CONSTRAINT TRIGGER keep_{kept.table} "
        f"AFTER INSERT OR DELETE OR UPDATE OF count ON {kept.rollups} "
        f"DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION keep_{kept.table}()"
    )


def _day(hour: str, *, is_sqlite: bool) -> str:
    """Return the first moment of an hour's day in UTC."""
    if is_sqlite:
        return f"substr({hour}, 1, 10) || ' 00:00:00.000000'"
    return f"date_trunc('day', {hour}, 'UTC')"
