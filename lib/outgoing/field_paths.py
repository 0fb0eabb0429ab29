"""The fields of a document as paths that filters and mappings understand."""

import json
import re
from collections.abc import Sequence
from typing import Any

_MOST_PATHS = 200
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def field_paths(document: Any) -> Sequence[str]:
    """Return the paths of the document's values in their order, as many as one can read.

    Of a list the first element stands for all of them, under `[*]`.
    """
    found: list[str] = []
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting and len(found) < _MOST_PATHS:
        path, value = waiting.pop(0)
        if isinstance(value, dict) and value:
            inner = [(_join(path, name), item) for name, item in value.items()]
            waiting = inner + waiting
        elif isinstance(value, list) and value:
            waiting.insert(0, (f"{path}[*]", value[0]))
        elif path:
            found.append(path)
    return found


def _join(path: str, name: str) -> str:
    # A quoted name is a JSON text: https://jmespath.org/specification.html#identifiers
    written = name if _PLAIN_NAME.fullmatch(name) else json.dumps(name)
    return f"{path}.{written}" if path else written
