"""How far messages and calls have come, by what their vendor reported; only ever forwards."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from lib.clock import now
from lib.models import MessageState
from lib.providers.base import StateReport

_REPLACED = ("state", "rank", "sequence", "error_code", "updated_at")


@dataclass(frozen=True)
class OwnedReport:
    """A report and whose it is."""

    integration_id: str
    user_id: str
    report: StateReport


@dataclass(frozen=True)
class Progress:
    """How far the message or call of an event has come by now."""

    kind: str
    sid: str
    state: str
    error_code: str | None
    updated_at: datetime


def advance(session: Session, reports: Iterable[OwnedReport]) -> None:
    """Move states on; a report that is behind what is known changes nothing.

    It is part of the transaction that finishes the events, so each report counts once.
    """
    newest: dict[tuple[str, str], OwnedReport] = {}
    for item in reports:
        place = (item.integration_id, item.report.sid)
        known = newest.get(place)
        if known is None or _is_ahead(item.report, known.report):
            newest[place] = item
    if not newest:
        return
    moment = now()
    # In one order everywhere, so that two workers cannot wait for each other's rows.
    rows = [_row(newest[place], moment) for place in sorted(newest)]
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(MessageState)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["integration_id", "sid"],
            set_={name: statement.excluded[name] for name in _REPLACED},
            where=_is_excluded_ahead(statement.excluded),
        ),
        rows,
    )


def find_progress(session: Session, integration_id: str, sid: str | None) -> Progress | None:
    """Return what is known of a message or call, if anything was reported."""
    row = session.get(MessageState, (integration_id, sid)) if sid else None
    if row is None:
        return None
    return Progress(row.kind, row.sid, row.state, row.error_code, row.updated_at)


def _is_ahead(new: StateReport, old: StateReport) -> bool:
    """Tell whether `new` is later than `old`: the vendor's own number goes before the rank."""
    if new.sequence is not None and old.sequence is not None and new.sequence != old.sequence:
        return new.sequence > old.sequence
    return new.rank > old.rank


def _is_excluded_ahead(excluded: Any) -> ColumnElement[bool]:
    """Return the same rule as a condition over the row that is there and the one that came."""
    sequence = col(MessageState.sequence)
    is_unnumbered = or_(excluded.sequence.is_(None), sequence.is_(None))
    return or_(
        excluded.sequence > sequence,
        and_(
            or_(is_unnumbered, excluded.sequence == sequence),
            excluded.rank > col(MessageState.rank),
        ),
    )


def _row(item: OwnedReport, moment: datetime) -> dict[str, Any]:
    report = item.report
    return {
        "integration_id": item.integration_id,
        "sid": report.sid,
        "user_id": item.user_id,
        "kind": report.kind,
        "state": report.state,
        "rank": report.rank,
        "sequence": report.sequence,
        "error_code": report.error_code,
        "created_at": moment,
        "updated_at": moment,
    }
