"""Conditions on many ids as one parameter, so that a statement's text never changes.

A list of parameters would be parsed again for every length: by the driver on PostgreSQL, by the
engine itself on SQLite.
"""

from collections.abc import Iterable
from typing import Any

import orjson
from sqlalchemy import String, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType

_IDS = "ids"


class _IsListed(FunctionElement[Any]):
    name = "is_listed"
    # Of a Boolean, SQLite's dialect would make "... = 1", for which no index is used.
    type = NullType()
    inherit_cache = True


def is_listed(column: Any) -> _IsListed:
    """Return the condition that `column` is among the ids; give them by `listed`."""
    return _IsListed(column, bindparam(_IDS, type_=String()))


def listed(ids: Iterable[str]) -> dict[str, str]:
    """Return the parameter of a statement with `is_listed`."""
    return {_IDS: orjson.dumps(sorted(ids)).decode()}


@compiles(_IsListed, "sqlite")
def _compile_for_sqlite(element: _IsListed, compiler: Any, **options: Any) -> str:
    column, ids = (compiler.process(item, **options) for item in element.clauses)
    listed_ids = f"SELECT CAST(value AS TEXT) FROM json_each({ids})"  # noqa: S608 - compiled
    return f"{column} IN ({listed_ids})"


@compiles(_IsListed)
def _compile_for_postgresql(element: _IsListed, compiler: Any, **options: Any) -> str:
    """Compare with an array: of a set that a function returns, the planner knows nothing.

    It would rather scan a table of millions than look up the hundred rows that it expects.
    """
    column, ids = (compiler.process(item, **options) for item in element.clauses)
    listed_ids = f"SELECT jsonb_array_elements_text(CAST({ids} AS jsonb))"
    return f"{column} = ANY (ARRAY({listed_ids}))"
