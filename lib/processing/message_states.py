"""How far messages and calls have come, by what their vendor reported; only ever forwards."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, case, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from lib.clock import hour_of, now
from lib.models import MessageRollup, MessageState
from lib.processing.durations import ARRIVAL, Took, count_durations
from lib.processing.rollups import add_counts
from lib.providers.reports import StateReport

_REPLACED = ("state", "rank", "sequence", "error_code", "updated_at")
# On the table itself, for the mapped class would want its keys by their own names.
_STATES: Any = MessageState.__table__  # type: ignore[attr-defined]  # SQLModel leaves it untyped
_MOVE_ON = (
    update(_STATES)
    .where(_STATES.c.integration_id == bindparam("of"), _STATES.c.sid == bindparam("with_sid"))
    .values({name: bindparam(name) for name in _REPLACED})
)


@dataclass(frozen=True)
class OwnedReport:
    """A report, whose it is, and when it came in."""

    integration_id: str
    user_id: str
    report: StateReport
    at: datetime


class Place(NamedTuple):
    """What a report is about: a message or call of an integration."""

    integration_id: str
    sid: str


@dataclass
class _Told:
    """What the reports of one batch say of one thing."""

    newest: OwnedReport
    first_at: datetime
    arrival: OwnedReport | None = None

    def add(self, item: OwnedReport) -> None:
        if _is_ahead(item.report, self.newest.report):
            self.newest = item
        self.first_at = min(self.first_at, item.at)
        is_earliest = self.arrival is None or item.at < self.arrival.at
        if item.report.is_arrival and is_earliest:
            self.arrival = item


@dataclass(frozen=True)
class Progress:
    """How far the message or call of an event has come by now."""

    kind: str
    sid: str
    state: str
    error_code: str | None
    updated_at: datetime


def advance(session: Session, reports: Iterable[OwnedReport]) -> dict[Place, datetime]:
    """Move states on and count them; a report that is behind what is known changes nothing.

    It is part of the transaction that finishes the events, so each report counts once.
    Returns what was heard of for the first time, and since when.
    """
    told: dict[Place, _Told] = {}
    for item in reports:
        place = Place(item.integration_id, item.report.sid)
        told.setdefault(place, _Told(item, item.at)).add(item)
    if not told:
        return {}
    moment = now()
    fresh = _insert(session, told, moment)
    known = _lock(session, [place for place in sorted(told) if place not in fresh])
    moved = {
        place: row for place, row in known.items() if _is_ahead(told[place].newest.report, row)
    }
    if moved:
        values = [
            {"of": place.integration_id, "with_sid": place.sid, **_new_values(told[place], moment)}
            for place in moved
        ]
        session.connection().execute(_MOVE_ON, values)
    _count(session, told, fresh=fresh, moved=moved)
    _count_arrivals(session, told, fresh=fresh, moved=moved)
    return {place: told[place].first_at for place in fresh}


def find_progress(session: Session, integration_id: str, sid: str | None) -> Progress | None:
    """Return what is known of a message or call, if anything was reported."""
    row = session.get(MessageState, (integration_id, sid)) if sid else None
    if row is None:
        return None
    return Progress(row.kind, row.sid, row.state, row.error_code, row.updated_at)


def _is_ahead(new: StateReport, old: StateReport | MessageState) -> bool:
    """Tell whether `new` is later than `old`: the vendor's own number goes before the rank."""
    if new.sequence is not None and old.sequence is not None and new.sequence != old.sequence:
        return new.sequence > old.sequence
    return new.rank > old.rank


def _insert(session: Session, told: Mapping[Place, _Told], moment: datetime) -> set[Place]:
    """Insert what is not known yet and return it.

    A worker that inserts the same at this moment is waited for, and then its row is there. In
    one order everywhere, so that two workers cannot wait for each other's rows.
    """
    rows = [
        {
            "integration_id": place.integration_id,
            "sid": place.sid,
            "user_id": told[place].newest.user_id,
            "kind": told[place].newest.report.kind,
            "created_at": told[place].first_at,
            **_new_values(told[place], moment),
        }
        for place in sorted(told)
    ]
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(_STATES).on_conflict_do_nothing()
    found = session.connection().execute(
        statement.returning(_STATES.c.integration_id, _STATES.c.sid), rows
    )
    return {Place(*row) for row in found}


def _lock(session: Session, places: Sequence[Place]) -> dict[Place, MessageState]:
    if not places:
        return {}
    query = (
        select(MessageState)
        .where(tuple_(col(MessageState.integration_id), col(MessageState.sid)).in_(places))
        .order_by(col(MessageState.integration_id), col(MessageState.sid))
        .with_for_update()
    )
    rows = session.execute(query).scalars()
    return {Place(row.integration_id, row.sid): row for row in rows}


def _new_values(told: _Told, moment: datetime) -> dict[str, Any]:
    report = told.newest.report
    return {
        "state": report.state,
        "rank": report.rank,
        "sequence": report.sequence,
        "error_code": report.error_code,
        "updated_at": moment,
    }


def _count(
    session: Session,
    told: Mapping[Place, _Told],
    *,
    fresh: Iterable[Place],
    moved: Mapping[Place, MessageState],
) -> None:
    """Count each under its new state, and no longer under its old one."""
    changes: Counter[tuple[Any, ...]] = Counter()
    for place in fresh:
        changes[_counted_at(told[place].newest, told[place].first_at)] += 1
    for place, row in moved.items():
        changes[_counted_at(told[place].newest, row.created_at)] += 1
        changes[hour_of(row.created_at), place.integration_id, row.kind, row.state,
                row.error_code or "", row.user_id] -= 1  # fmt: skip
    # In one order everywhere, ups and downs together, so that two workers cannot wait for each
    # other's rows.
    for key, change in sorted(changes.items()):
        names = ("hour", "integration_id", "kind", "state", "error_code", "user_id")
        values = dict(zip(names, key, strict=True))
        if change > 0:
            add_counts(session, MessageRollup, [{**values, "count": change}])
        elif change < 0:
            _take_off(session, values, -change)


def _counted_at(item: OwnedReport, first_at: datetime) -> tuple[Any, ...]:
    report = item.report
    code = report.error_code or ""
    return (
        hour_of(first_at), item.integration_id, report.kind, report.state, code, item.user_id
    )  # fmt: skip


def _take_off(session: Session, key: Mapping[str, Any], amount: int) -> None:
    """Lower a count; what was reported before counts were kept has none."""
    count = col(MessageRollup.count)
    session.execute(
        update(MessageRollup)
        .where(*(col(getattr(MessageRollup, name)) == key[name] for name in key))
        .values(count=case((count > amount, count - amount), else_=0))
        .execution_options(synchronize_session=False)
    )


def _count_arrivals(
    session: Session,
    told: Mapping[Place, _Told],
    *,
    fresh: Iterable[Place],
    moved: Mapping[Place, MessageState],
) -> None:
    """Count how long those took that have arrived now; one report alone tells no duration."""
    began = {place: told[place].first_at for place in fresh}
    for place, row in moved.items():
        arrival = told[place].arrival
        if arrival is not None and row.rank < arrival.report.rank:
            began[place] = row.created_at
    arrived = [
        Took(place.integration_id, arrival.user_id, ARRIVAL, began[place], arrival.at)
        for place in began
        if (arrival := told[place].arrival) is not None and arrival.at > began[place]
    ]
    count_durations(session, arrived)
