"""What the shapes of requests and answers have in common."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from lib.lists.paging import LARGEST_PAGE

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class Given(BaseModel):
    """A request's body: fields that it does not know are refused, and so are wrong types."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, hide_input_in_errors=True, allow_inf_nan=False
    )


class Asked(BaseModel):
    """A request's query, whose values are texts."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Shown(BaseModel):
    """An answer, or a part of one."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Paged(Asked):
    """A list that is read page by page."""

    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE, description="How many at most.")] = 50
    cursor: Annotated[
        str | None, Field(description="Where the page before ended; follow the Link header.")
    ] = None


def _read_moment(value: Any) -> Any:
    # A plus sign that was not encoded arrives as a space.
    return value.replace(" ", "+") if isinstance(value, str) and "T" in value else value


Time = Annotated[
    AwareDatetime,
    Field(
        description="A time in ISO 8601 with its zone.",
        json_schema_extra={"format": "date-time"},
        examples=["2026-01-31T12:00:00Z"],
    ),
]
TimeAsked = Annotated[Time, BeforeValidator(_read_moment)]


def stamp(moment: datetime) -> str:
    """Return a moment as every answer writes it: ISO 8601 in UTC with milliseconds and Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def stamp_or_none(moment: datetime | None) -> str | None:
    """Return a moment as `stamp` does, None for None."""
    return None if moment is None else stamp(moment)
