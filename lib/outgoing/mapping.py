"""Turning an envelope into the shape a destination wants: one JMESPath expression."""

from typing import Any

from lib.outgoing.envelope import Envelope


def apply_mapping(expression: str | None, document: Envelope) -> Any:
    """Return what `expression` makes of `document`, or the document itself for None."""
    raise NotImplementedError


def check_mapping(expression: str) -> None:
    """Raise InvalidInput(field="mapping") unless `expression` can be compiled."""
    raise NotImplementedError
