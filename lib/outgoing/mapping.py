"""Turning an envelope into the shape a destination wants: one JMESPath expression."""

from typing import Any

from lib.errors import InvalidInput
from lib.outgoing.envelope import Envelope
from lib.outgoing.expressions import ExpressionError, check_document, compile_expression


def apply_mapping(expression: str | None, document: Envelope) -> Any:
    """Return what `expression` makes of `document`, or the document itself for None.

    Raises InvalidInput(field="mapping") when it cannot be evaluated, takes too much work, or
    yields null: an empty message helps nobody.
    """
    if expression is None:
        return document
    try:
        result = compile_expression(expression).evaluate(document)
        check_document(result)
    except ExpressionError as error:
        raise _refusal(f"does not work on this event: {error}") from None
    if result is None:
        raise _refusal("yields nothing for this event")
    return result


def check_mapping(expression: str) -> None:
    """Raise InvalidInput(field="mapping") unless `expression` can be compiled."""
    try:
        compile_expression(expression)
    except ExpressionError as error:
        raise _refusal(f"is not right: {error}") from None


def _refusal(what: str) -> InvalidInput:
    return InvalidInput(f"The mapping {what}. Change the route's mapping.", field="mapping")
