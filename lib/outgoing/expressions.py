"""JMESPath within limits: what members write runs in a worker that all of them share.

The library bounds neither nesting nor work, and an expression of a few hundred characters can
double a text or a list until the memory is full. https://jmespath.org/specification.html
"""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import jmespath
from jmespath.exceptions import (
    ArityError,
    EmptyExpressionError,
    IncompleteExpressionError,
    JMESPathError,
    JMESPathTypeError,
    LexerError,
    ParseError,
)
from jmespath.functions import Functions, signature
from jmespath.visitor import Options, TreeInterpreter

MOST_CHARACTERS = 10_000
MOST_NESTING = 64
_MOST_STEPS = 200_000
_MOST_VALUES = 600_000
_MOST_TEXT = 5_000_000
# What evaluating can raise for a document of an unforeseen shape, such as 'a' < `1`.
_SHAPE_ERRORS = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)

Node = Mapping[str, Any]


class ExpressionError(Exception):
    """An expression cannot be compiled or evaluated; the message says where or why."""


class Expression:
    """A compiled expression; `root` is its syntax tree."""

    def __init__(self, root: Node) -> None:
        self.root = root

    def evaluate(self, document: Any) -> Any:
        """Return what the expression makes of `document`; raise ExpressionError.

        The message never repeats a value of the document.
        """
        try:
            return _Interpreter().visit(self.root, document)
        except JMESPathTypeError as error:
            raise ExpressionError(
                f"{error.function_name}() takes {' or '.join(error.expected_types)} and got "
                f"{error.actual_type}"
            ) from None
        except _SHAPE_ERRORS as error:
            raise ExpressionError(
                f"a value is not of the type that is asked for ({type(error).__name__})"
            ) from None


@lru_cache(maxsize=512)
def compile_expression(text: str) -> Expression:
    """Return the compiled expression; raise ExpressionError that says where it is wrong.

    Functions that do not exist and wrong numbers of arguments are found here already.
    """
    if len(text) > MOST_CHARACTERS:
        raise ExpressionError(f"it has {len(text):,} characters, {MOST_CHARACTERS:,} are allowed")
    try:
        root: Node = jmespath.compile(text).parsed
    except RecursionError:
        raise _too_nested() from None
    except JMESPathError as error:
        raise ExpressionError(_where(error)) from None
    for node, depth in walk(root):
        if depth > MOST_NESTING:
            raise _too_nested()
        if node["type"] == "function_expression":
            _check_call(node)
    return Expression(root)


def walk(root: Node) -> Iterator[tuple[Node, int]]:
    """Yield every node of a syntax tree with its depth."""
    waiting = [(root, 1)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        # The children of a slice are its three numbers.
        waiting += [(child, depth + 1) for child in node["children"] if isinstance(child, dict)]


def check_document(value: Any) -> None:
    """Raise ExpressionError unless `value` is plain JSON of a bearable size when written out.

    A value that is used twice counts twice, for it is written twice.
    """
    values = characters = 0
    waiting = [value]
    while waiting:
        item = waiting.pop()
        values += 1
        if isinstance(item, str):
            characters += len(item)
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, dict):
            characters += sum(len(name) for name in item)
            waiting.extend(item.values())
        elif not (item is None or isinstance(item, bool | int | float)):
            raise ExpressionError("it yields an expression (&) and not a value")
        if values + len(waiting) > _MOST_VALUES or characters > _MOST_TEXT:
            raise ExpressionError("its result is too large")


class _Functions(Functions):
    """The built-in functions, with a look at the size before a text is made."""

    @signature({"types": ["string"]}, {"types": ["array-string"]})
    def _func_join(self, separator: str, array: list[str]) -> str:
        if sum(len(item) + len(separator) for item in array) > _MOST_TEXT:
            raise ExpressionError("its result is too large")
        return separator.join(array)

    @signature({"types": []})
    def _func_to_string(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        check_document(value)
        return json.dumps(value, separators=(",", ":"))


class _Interpreter(TreeInterpreter):
    """Evaluates one expression once and gives up when that takes too much work."""

    def __init__(self) -> None:
        super().__init__(Options(custom_functions=_Functions()))
        self._steps = 0

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        """Visit a node; what it yields is paid for by its length."""
        result = super().visit(node, *args, **kwargs)
        size = len(result) if isinstance(result, list | dict | str) else 0
        self._pay(1 + size // 16)
        return result

    def visit_flatten(self, node: Any, value: Any) -> Any:
        """Flatten as the library does, but look at the length before the list is made."""
        base = self.visit(node["children"][0], value)
        if not isinstance(base, list):
            return None
        parts = [item if isinstance(item, list) else [item] for item in base]
        self._pay(sum(map(len, parts)))
        return [item for part in parts for item in part]

    def _pay(self, steps: int) -> None:
        self._steps += steps
        if self._steps > _MOST_STEPS:
            raise ExpressionError("it takes too much work on this event")


def _check_call(node: Node) -> None:
    name = node["value"]
    spec = _Functions.FUNCTION_TABLE.get(name)
    if spec is None:
        raise ExpressionError(f"there is no function {name}()")
    wanted, given = len(spec["signature"]), len(node["children"])
    if spec["signature"] and spec["signature"][-1].get("variadic"):
        if given < wanted:
            raise ExpressionError(f"{name}() takes at least {wanted} arguments and got {given}")
    elif given != wanted:
        raise ExpressionError(f"{name}() takes {wanted} arguments and got {given}")


def _where(error: JMESPathError) -> str:
    if isinstance(error, EmptyExpressionError):
        return "it is empty"
    if isinstance(error, IncompleteExpressionError):
        return "it ends too early; close what is open"
    if isinstance(error, LexerError):
        return f"character {error.lexer_position + 1} cannot stand there ({error.lexer_value})"
    if isinstance(error, ArityError):
        return f"{error.function_name}() got a wrong number of arguments"
    if isinstance(error, ParseError):
        return f"{error.token_value!r} at character {error.lex_position + 1} is not expected there"
    return "it is not JMESPath"


def _too_nested() -> ExpressionError:
    return ExpressionError(f"it is nested more than {MOST_NESTING} deep")
