"""Keyset pages: newest first, continued by the id of the last row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from lib.errors import InvalidInput

LARGEST_PAGE = 200

Row = TypeVar("Row")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows and the cursor of the next page, None on the last one.

    `searched_back_to` is set on a page that ended before it was full, because what is read for
    one page is bounded; the cursor looks further back.
    """

    rows: Sequence[Row]
    next_cursor: str | None
    searched_back_to: datetime | None = None


def check_limit(limit: int) -> int:
    """Return `limit`; raise InvalidInput unless it is 1 to 200."""
    if not 1 <= limit <= LARGEST_PAGE:
        raise InvalidInput(f"Ask for 1 to {LARGEST_PAGE} rows.", field="limit")
    return limit
