"""Sums over the totals of `lib.models.totals`: whole days where a span holds them, else hours.

Days there are days in UTC, and those of a viewer begin some hours earlier or later. So a bar
takes the days that lie in it for the most part, adds the hours of others and takes off what of
its days lies outside: every count once, and few rows however long the span is.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal_column, select, union_all
from sqlmodel import Session, col

from lib.access import Actor

WHOLE_HUB = ""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_HALF_DAY = DAY / 2


def scope_of(actor: Actor) -> str:
    """Return the scope of all that `actor` may see."""
    return WHOLE_HUB if actor.sees_all else actor.id


@dataclass(frozen=True)
class Bar:
    """A span from `since` up to and without `until`, both whole hours in UTC."""

    number: int
    since: datetime
    until: datetime


@dataclass
class _Piece:
    """Rows that are added to the bars or taken off them: by their moments, whose they are."""

    span: str
    step: timedelta
    sign: int
    bars: dict[datetime, int] = field(default_factory=dict)


def sum_up(
    session: Session,
    table: Any,
    scopes: Iterable[ColumnElement[bool]],
    columns: Sequence[Any],
    bars: Sequence[Bar],
) -> list[tuple[Any, ...]]:
    """Return (number of the bar, *columns, count) in this order, without those that are zero.

    `scopes` are the conditions of what is counted; the bars do not overlap.
    """
    pieces = [piece for piece in _split(bars) if piece.bars]
    if not pieces:
        return []
    by_time = len(bars) > 1
    parts = [
        _select(table, [*scopes, *_of(table, piece)], columns, number=number, by_time=by_time)
        for number, piece in enumerate(pieces)
    ]
    found: Counter[tuple[Any, ...]] = Counter()
    for number, since, *values, count in session.execute(union_all(*parts)):
        piece = pieces[number]
        found[piece.bars[since], *values] += piece.sign * int(count)
    return sorted((*key, count) for key, count in found.items() if count)


def _split(bars: Iterable[Bar]) -> tuple[_Piece, ...]:
    days, added = _Piece("day", DAY, 1), _Piece("hour", HOUR, 1)
    taken_off = _Piece("hour", HOUR, -1)
    for bar in bars:
        day = bar.since.replace(hour=0)
        while day < bar.until:
            since, until = max(day, bar.since), min(day + DAY, bar.until)
            if until - since > _HALF_DAY:
                days.bars[day] = bar.number
                outside = (*_hours(day, since), *_hours(until, day + DAY))
                taken_off.bars.update(dict.fromkeys(outside, bar.number))
            else:
                added.bars.update(dict.fromkeys(_hours(since, until), bar.number))
            day += DAY
    return days, added, taken_off


def _hours(since: datetime, until: datetime) -> list[datetime]:
    return [since + HOUR * number for number in range((until - since) // HOUR)]


def _of(table: Any, piece: _Piece) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of a piece: a range where none is left out between its ends."""
    moments, since = sorted(piece.bars), col(table.since)
    of_span = col(table.span) == piece.span
    if moments[-1] - moments[0] == piece.step * (len(moments) - 1):
        return of_span, since >= moments[0], since <= moments[-1]
    return of_span, since.in_(moments)


def _select(
    table: Any,
    where: Sequence[ColumnElement[bool]],
    columns: Sequence[Any],
    *,
    number: int,
    by_time: bool,
) -> Select[Any]:
    """Select the piece's number, a moment of it, the columns and the count."""
    since = col(table.since)
    moment = since if by_time else func.min(since)
    return (
        select(
            literal_column(str(number)).label("piece"),
            moment.label("since"),
            *columns,
            func.sum(col(table.count)).label("total"),
        )
        .where(*where)
        .group_by(*((since,) if by_time else ()), *columns)
    )
