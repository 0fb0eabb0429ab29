"""Writing many attempts in one statement, in each engine's fastest way."""

import base64
from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import Connection, text
from sqlmodel import Session

from lib.models import Base, DeliveryAttempt

_TABLE = Base.metadata.tables[DeliveryAttempt.__tablename__]
_COLUMNS = [column.name for column in _TABLE.columns]
_values = itemgetter(*_COLUMNS)
_TYPES = {
    "number": "integer",
    "request_bytes": "integer",
    "response_status": "integer",
    "dns_ms": "float8",
    "connect_ms": "float8",
    "tls_ms": "float8",
    "first_byte_ms": "float8",
    "total_ms": "float8",
    "created_at": "timestamptz",
}
# Thousands of parameters would cost the driver more than the insert costs the server, so the
# rows travel as one JSON document; as JSON holds no bytes, the body travels as base64.
_INSERT_DOCUMENT = text(
    f"INSERT INTO delivery_attempts ({', '.join(_COLUMNS)}) SELECT "  # noqa: S608 - our own names
    + ", ".join(
        "decode(response_body, 'base64')" if name == "response_body" else name for name in _COLUMNS
    )
    + " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given("
    + ", ".join(f"{name} {_TYPES.get(name, 'text')}" for name in _COLUMNS)
    + ")"
)


def _insert_many(rows: int) -> str:
    row = f"({', '.join('?' * len(_COLUMNS))})"
    return (
        f"INSERT INTO delivery_attempts ({', '.join(_COLUMNS)}) VALUES "  # noqa: S608 - our names
        + ", ".join([row] * rows)
    )


# As in lib.intake.sink_sqlite: executemany would wait for the event loop once a row.
_INSERTS = {size: _insert_many(size) for size in (64, 16, 4, 1)}


def insert_attempts(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows of `delivery_attempts`, each with all of its columns; moments are UTC."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        _insert_into_sqlite(connection, rows)
        return
    for row in rows:
        row["response_body"] = base64.b64encode(row["response_body"]).decode()
    connection.execute(_INSERT_DOCUMENT, {"rows": orjson.dumps(rows).decode()})


def _insert_into_sqlite(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    values = [_values({**row, "created_at": _text(row["created_at"])}) for row in rows]
    done = 0
    for size, statement in _INSERTS.items():
        while len(values) - done >= size:
            group = tuple(chain.from_iterable(values[done : done + size]))
            connection.exec_driver_sql(statement, group)
            done += size


def _text(moment: datetime) -> str:
    # The form in which SQLAlchemy keeps a UTC moment, so that both sort together.
    return moment.isoformat(" ", "microseconds")[:26]
