"""Which events a route takes: rows of field path, operator and value that must all hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lib.outgoing.envelope import Envelope


@dataclass(frozen=True)
class FilterRow:
    """One condition on the envelope; `path` is a JMESPath field path such as data.From."""

    path: str
    operator: str
    value: Any = None


def parse_filters(rows: Any) -> tuple[FilterRow, ...]:
    """Return the rows of a stored or entered list; raise InvalidInput(field="filters")."""
    raise NotImplementedError


def matches(rows: Sequence[FilterRow], document: Envelope) -> bool:
    """Tell whether every row holds; a missing field matches only not_exists and negations."""
    raise NotImplementedError
