"""The kinds of values that HighLevel's actions are given, and how they become its fields."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, StringConstraints
from pydantic.alias_generators import to_camel

from lib.providers.actions import ActionInput
from lib.providers.contacts import to_e164


def _check_phone(text: str) -> str:
    number = to_e164(text)
    if number is None:
        raise ValueError("enter the number with + and its country code, such as +14155550123")
    return number


def _check_zone(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"state the time zone, as in {SOME_TIME}")
    return moment


# An id goes into a path: no slash, no dot.
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
Phone = Annotated[str, AfterValidator(_check_phone)]
Email = Annotated[str, StringConstraints(pattern=r"^[^\s@]{1,64}@[^\s@]+\.[^\s@]{2,}$")]
Line = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=65_000)]
Moment = Annotated[datetime, AfterValidator(_check_zone)]
# How the forms of actions know a text of more than one line.
LONG: dict[str, Any] = {"format": "textarea"}
SOME_TIME = "2026-12-01T09:00:00Z"


def vendor_fields(given: ActionInput, *, leave_out: set[str] | None = None) -> dict[str, Any]:
    """Return what was given under HighLevel's names, without what was left blank."""
    filled = given.model_dump(mode="json", exclude_none=True, exclude=leave_out or set())
    return {to_camel(name): value for name, value in filled.items()}


def vendor_params(given: ActionInput, *, leave_out: set[str] | None = None) -> dict[str, str]:
    """Return the same as a query."""
    return {name: str(value) for name, value in vendor_fields(given, leave_out=leave_out).items()}
