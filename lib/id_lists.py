"""Conditions on many ids that leave a statement's text and its plan as they are.

A list of parameters would be parsed again for every length: by the driver on PostgreSQL, by the
engine itself on SQLite. Of a set that a function or a query returns, PostgreSQL's planner expects
so much that it would rather scan a big table; for each member of an array it uses the index.
"""

from collections.abc import Iterable
from typing import Any

import orjson
from sqlalchemy import Select, String, bindparam
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


class _IsAmong(FunctionElement[Any]):
    name = "is_among"
    type = NullType()
    inherit_cache = True


def is_among(column: Any, ids: Select[Any]) -> _IsAmong:
    """Return the condition that `column` is among the few ids that a query finds."""
    return _IsAmong(column, ids.scalar_subquery())


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
    column, ids = (compiler.process(item, **options) for item in element.clauses)
    listed_ids = f"SELECT jsonb_array_elements_text(CAST({ids} AS jsonb))"
    return f"{column} = ANY (ARRAY({listed_ids}))"


@compiles(_IsAmong, "sqlite")
def _compile_among_for_sqlite(element: _IsAmong, compiler: Any, **options: Any) -> str:
    column, ids = (compiler.process(item, **options) for item in element.clauses)
    return f"{column} IN {ids}"


@compiles(_IsAmong)
def _compile_among_for_postgresql(element: _IsAmong, compiler: Any, **options: Any) -> str:
    column, ids = (compiler.process(item, **options) for item in element.clauses)
    return f"{column} = ANY (ARRAY{ids})"
