"""Statements that are compiled once for all tests, as in a process that serves one hub."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.util import LRUCache

_MOST = 2_000


@dataclass
class _Compiled:
    """One dialect, which is part of a statement's key, and what was compiled for it."""

    dialect: Dialect
    statements: LRUCache[Any, Any] = field(default_factory=lambda: LRUCache(_MOST))


_BY_NAME: dict[str, _Compiled] = {}


def share_statements(engine: Engine) -> None:
    """Let an engine that has connected use what others like it have compiled.

    Each test has an engine of its own, and would pay for each of its statements again.
    """
    shared = _BY_NAME.setdefault(engine.dialect.name, _Compiled(engine.dialect))
    engine.dialect = shared.dialect
    engine.update_execution_options(compiled_cache=shared.statements)
