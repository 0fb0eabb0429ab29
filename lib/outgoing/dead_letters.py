"""Grouping dead letters into issues: what died at one destination of the same cause meets."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from lib.ids import new_id
from lib.models import Issue

_MESSAGE_LENGTH = 300
_BATCH = 200
# The first that matches a place takes it, so what holds others stands before them. A number
# after "status", "code" or "error" says what went wrong and stays: 401 and 404 are two causes.
_PARTS = re.compile(
    r"""
    (?P<kept>\b(?i:status|code|error)[ :=#]{1,2}\d{3,5}\b)
    |(?P<url>\bhttps?://[^\s"'<>]+)
    |(?P<email>\b[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+)
    |(?P<quoted>"[^"]*"|“[^”]*”|`[^`]*`|(?<!\w)'[^']*'(?!\w))
    |(?P<time>\b\d{4}-\d\d-\d\d
        (?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:\ ?(?:Z|UTC|[+-]\d\d:?\d\d))?)?)
    |(?P<id>\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b
        |\b[a-z]{2,8}_\w{8,}\b
        |\b[A-Z]{2}[0-9a-f]{32}\b)
    |(?P<hex>\b0x[0-9a-fA-F]+\b
        |\b(?=\w*[a-zA-Z])(?=\w*\d)(?:[0-9a-fA-F]{8,}|[0-9a-zA-Z]{16,})\b)
    |(?P<phone>\+\d[\d ().-]{6,18}\d|\(\d{3}\)\ ?\d{3}-\d{4}\b)
    |(?P<number>\d+(?:[.,:]\d+)*)
    """,
    re.VERBOSE | re.ASCII,
)
# Longer ones are not read to their end.
_READ_LENGTH = 1_000
_STANDS_FOR = {"quoted": "value", "hex": "id"}


@dataclass(frozen=True)
class DeadLetter:
    """A delivery that ended dead, and why; `message` is the sentence of its last attempt."""

    delivery_id: str
    user_id: str
    destination_id: str
    error_class: str
    message: str


_Cause = tuple[str, str, str]


def note_dead(session: Session, dead: Sequence[DeadLetter], moment: datetime) -> dict[str, str]:
    """Count dead letters under their issues and return the issue's id by delivery id.

    Part of the caller's transaction. A resolved issue opens again; an acknowledged or ignored
    one keeps its state. Issues are touched in one order everywhere, so that two workers cannot
    wait for each other's rows.
    """
    by_cause: dict[_Cause, list[DeadLetter]] = defaultdict(list)
    for letter in dead:
        cause = (letter.destination_id, letter.error_class, normalise(letter.message))
        by_cause[cause].append(letter)
    causes = sorted(by_cause)
    found: dict[str, str] = {}
    for start in range(0, len(causes), _BATCH):
        rows = [_row(cause, by_cause[cause], moment) for cause in causes[start : start + _BATCH]]
        for issue_id, place, error_class, message in session.execute(_upsert(session, rows)):
            for letter in by_cause[place, error_class, message]:
                found[letter.delivery_id] = issue_id
    return found


def resolve_of_destination(session: Session, destination_id: str) -> None:
    """Close what waits for somebody at a destination that is removed; part of its transaction."""
    session.execute(
        update(Issue)
        .where(col(Issue.destination_id) == destination_id)
        .where(col(Issue.state).in_(("open", "acknowledged")))
        .values(state="resolved")
        .execution_options(synchronize_session=False)
    )


def normalise(message: str) -> str:
    """Return the message with ids, numbers, addresses, times and quoted values taken out.

    At most 300 characters, on one line.
    """
    text = " ".join(message[:_READ_LENGTH].replace("\x00", " ").split())
    return _PARTS.sub(_stand_in, text)[:_MESSAGE_LENGTH]


def _stand_in(found: re.Match[str]) -> str:
    kind = found.lastgroup or ""
    return found[0] if kind == "kept" else f"<{_STANDS_FOR.get(kind, kind)}>"


def _row(cause: _Cause, letters: list[DeadLetter], moment: datetime) -> dict[str, Any]:
    destination_id, error_class, message = cause
    return {
        "id": new_id("iss"),
        "user_id": letters[0].user_id,
        "destination_id": destination_id,
        "error_class": error_class,
        "message": message,
        "state": "open",
        "count": len(letters),
        "note": "",
        "first_seen_at": moment,
        "last_seen_at": moment,
    }


def _upsert(session: Session, rows: list[dict[str, Any]]) -> Any:
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(Issue).values(rows)
    new = statement.excluded
    state, last_seen_at = col(Issue.state), col(Issue.last_seen_at)
    return statement.on_conflict_do_update(
        index_elements=["destination_id", "error_class", "message"],
        set_={
            "count": col(Issue.count) + new["count"],
            "state": case((state == "resolved", "open"), else_=state),
            # Another worker may have been here with a later moment.
            "last_seen_at": case(
                (last_seen_at < new["last_seen_at"], new["last_seen_at"]), else_=last_seen_at
            ),
        },
    ).returning(
        col(Issue.id), col(Issue.destination_id), col(Issue.error_class), col(Issue.message)
    )
