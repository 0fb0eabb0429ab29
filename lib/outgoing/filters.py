"""Which events a route takes: rows of field path, operator and value that must all hold.

Texts are compared exactly, in upper and lower case. A number equals a text that is written
like a number, for some senders send every number as text; true and false equal their names.
A path with `[*]` names several values: a row holds when one of them does, a negation when
none does. JMESPath does not tell null from missing, so neither do filters.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from lib.errors import InvalidInput
from lib.outgoing.envelope import Envelope
from lib.outgoing.expressions import Expression, ExpressionError, compile_expression, walk

MOST_ROWS = 20
_MOST_PATH = 300
_MOST_TEXT = 1_000
_MOST_CHOICES = 100
# The node types of `a."b c"[0].d[*].e`: they cannot fail, and their work is that of a look.
_PATH_NODES = frozenset(
    {"field", "subexpression", "index_expression", "index", "projection", "identity"}
)
# A number as JSON writes it; the exponent is short, so that no value is out of reach.
_NUMBER = re.compile(r"-?\d{1,40}(\.\d{1,40})?([eE][+-]?\d{1,3})?", re.ASCII)
_PRESENCE = ("exists", "not_exists")
_LISTS = ("in", "not_in")
_ORDERS = ("greater_than", "less_than")


@dataclass(frozen=True)
class FilterRow:
    """One condition on the envelope; `path` is a JMESPath field path such as data.From."""

    path: str
    operator: str
    value: Any = None


def parse_filters(rows: Any) -> tuple[FilterRow, ...]:
    """Return the rows of a stored or entered list; raise InvalidInput(field="filters").

    The value of `in` and `not_in` may be a list, or a text with commas between.
    """
    if not isinstance(rows, list | tuple):
        raise _refusal("Give the filters as a list of path, operator and value.")
    if len(rows) > MOST_ROWS:
        raise _refusal(f"Give at most {MOST_ROWS} filters; there are {len(rows)}.")
    return tuple(_parse_row(row, number) for number, row in enumerate(rows, 1))


def stored_filters(rows: Sequence[FilterRow]) -> list[dict[str, Any]]:
    """Return parsed rows as JSON keeps them."""
    return [
        {"path": row.path, "operator": row.operator}
        if row.operator in _PRESENCE
        else {
            "path": row.path,
            "operator": row.operator,
            "value": list(row.value) if isinstance(row.value, tuple) else row.value,
        }
        for row in rows
    ]


def matches(rows: Sequence[FilterRow], document: Envelope) -> bool:
    """Tell whether every row holds; a missing field matches only not_exists and negations."""
    return all(_holds(row, document) for row in rows)


def takes_type(event_types: Iterable[str], event_type: str) -> bool:
    """Tell whether a route's list of event types, `["*"]` for all, names this one."""
    return any(name in ("*", event_type) for name in event_types)


def _parse_row(row: Any, number: int) -> FilterRow:
    if isinstance(row, FilterRow):
        row = {"path": row.path, "operator": row.operator, "value": row.value}
    if not isinstance(row, Mapping) or not row.keys() <= {"path", "operator", "value"}:
        raise _refusal(f"Filter {number} needs path, operator and value, and nothing else.")
    path, operator, value = row.get("path"), row.get("operator"), row.get("value")
    if not isinstance(path, str) or not path.strip():
        raise _refusal(f"Filter {number} names no field. Enter one such as data.From.")
    path = path.strip()
    try:
        _compile_path(path)
    except ExpressionError as error:
        raise _refusal(f"The field of filter {number} is not right: {error}.") from None
    if not isinstance(operator, str) or operator not in OPERATORS:
        raise _refusal(f"Filter {number} needs one of these operators: {', '.join(OPERATORS)}.")
    if operator in _PRESENCE:
        return FilterRow(path, operator)
    if operator in _LISTS:
        return FilterRow(path, operator, _clean_choices(value, number))
    _check_value(value, number)
    if operator in _ORDERS and _as_order(value) is None:
        raise _refusal(f"Filter {number} compares, so its value is a number or a date.")
    return FilterRow(path, operator, value)


def _clean_choices(value: Any, number: int) -> tuple[Any, ...]:
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= _MOST_CHOICES:
        raise _refusal(f"Filter {number} needs 1 to {_MOST_CHOICES} values with commas between.")
    for item in value:
        _check_value(item, number)
    return tuple(value)


def _check_value(value: Any, number: int) -> None:
    if value is None or value == "":
        raise _refusal(f"Filter {number} has no value. Enter one, or ask whether it exists.")
    if not isinstance(value, str | bool | int | float) or len(str(value)) > _MOST_TEXT:
        raise _refusal(f"The value of filter {number} must be a short text or a number.")


@lru_cache(maxsize=1024)
def _compile_path(path: str) -> tuple[Expression, int]:
    """Return a compiled path and how many `[*]` it has; raise ExpressionError."""
    if len(path) > _MOST_PATH:
        raise ExpressionError(f"it has more than {_MOST_PATH} characters")
    expression = compile_expression(path)
    kinds = [node["type"] for node, _ in walk(expression.root)]
    if not _PATH_NODES.issuperset(kinds):
        raise ExpressionError("use names with dots, [0] and [*] only, such as data.tags[*]")
    return expression, kinds.count("projection")


def _holds(row: FilterRow, document: Envelope) -> bool:
    path, projections = _compile_path(row.path)
    try:
        values = [path.evaluate(document)]
    except ExpressionError:
        # Hundreds of thousands of values behind [*]: none of them is looked at.
        values = []
    for _ in range(projections):
        values = [item for value in values if isinstance(value, list) for item in value]
    is_negated, test = OPERATORS[row.operator]
    is_met = any(value is not None and test(value, row.value) for value in values)
    return is_met is not is_negated


def _equals(found: Any, wanted: Any) -> bool:
    if isinstance(found, bool) or isinstance(wanted, bool):
        return _as_name(found) == _as_name(wanted)
    if isinstance(found, str) and isinstance(wanted, str):
        return found == wanted
    number = _as_number(found)
    return number is not None and number == _as_number(wanted)


def _contains(found: Any, wanted: Any) -> bool:
    if isinstance(found, list):
        return any(_equals(item, wanted) for item in found)
    text = _as_text(found)
    return text is not None and str(_as_text(wanted)) in text


def _starts_with(found: Any, wanted: Any) -> bool:
    text = _as_text(found)
    return text is not None and text.startswith(str(_as_text(wanted)))


def _ends_with(found: Any, wanted: Any) -> bool:
    text = _as_text(found)
    return text is not None and text.endswith(str(_as_text(wanted)))


def _is_in(found: Any, wanted: Iterable[Any]) -> bool:
    return any(_equals(found, choice) for choice in wanted)


def _is_greater(found: Any, wanted: Any) -> bool:
    left, right = _as_order(found), _as_order(wanted)
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        return left > right
    return isinstance(left, datetime) and isinstance(right, datetime) and left > right


def _is_less(found: Any, wanted: Any) -> bool:
    return _is_greater(wanted, found)


def _is_there(found: Any, _wanted: Any) -> bool:
    return found is not None


def _as_name(value: Any) -> str | None:
    """Return true and false as JSON writes them, and a text as it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else None


def _as_text(value: Any) -> str | None:
    if isinstance(value, bool | str):
        return _as_name(value)
    return str(value) if isinstance(value, int | float) else None


def _as_number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(value)
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _as_order(value: Any) -> Decimal | datetime | None:
    """Return a value that has a before and an after: a number, or a date in ISO 8601."""
    number = _as_number(value)
    if number is not None or not isinstance(value, str):
        return number
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _refusal(message: str) -> InvalidInput:
    return InvalidInput(message, field="filters")


# By operator: whether it is a negation, and what it asks of one value that is there.
OPERATORS: Mapping[str, tuple[bool, Callable[[Any, Any], bool]]] = {
    "equals": (False, _equals),
    "not_equals": (True, _equals),
    "contains": (False, _contains),
    "not_contains": (True, _contains),
    "starts_with": (False, _starts_with),
    "ends_with": (False, _ends_with),
    "greater_than": (False, _is_greater),
    "less_than": (False, _is_less),
    "in": (False, _is_in),
    "not_in": (True, _is_in),
    "exists": (False, _is_there),
    "not_exists": (True, _is_there),
}
