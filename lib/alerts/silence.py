"""Integrations that are silent against their rhythm, learned from the hourly rollups.

What was learned is kept in the worker's memory and learned again every hour, a few users a
round, so that a round costs little however large the hub is.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import and_, or_
from sqlmodel import Session, col, select

from lib.alerts.conditions import of_integration
from lib.alerts.kinds import Condition
from lib.alerts.rhythm import MOST_WEEKS, WEEK, Rhythm, Silence, find_silence, learn
from lib.database import Database
from lib.models import HourlyRollup, IntegrationConfig

KIND = "integration_silent"
_LEARN_EVERY = timedelta(hours=1)
_LEARNED_A_ROUND = 3
_MOST_ROLLUPS = 200_000
# Deliveries wait in the same thread, and another may want the interpreter.
ROWS_A_SLICE = 2_000
PAIRS_A_SLICE = 20
_MOST_USERS = 10_000
_MOST_NAMED = 3

Pair = tuple[str, str]


@dataclass(frozen=True)
class Silent:
    """What was found: the silent kinds of events, and the users of whom that was decided."""

    silences: Mapping[Pair, Silence]
    users: set[str]

    def conditions(self, session: Session, moment: datetime) -> list[Condition]:
        """Return a condition for each integration that listens and is silent."""
        by_integration: dict[str, list[tuple[str, Silence]]] = {}
        for (integration_id, event_type), silence in self.silences.items():
            by_integration.setdefault(integration_id, []).append((event_type, silence))
        rows = _listening(session, by_integration, moment)
        return [_condition(row, by_integration[row.id]) for row in rows]


class SilenceWatch:
    """Knows the rhythms of all users that it has had time to learn.

    `learn` and `find` go in slices: they yield 0 after each short read, when nothing is held.
    """

    def __init__(self) -> None:
        self._rhythms: dict[str, dict[Pair, Rhythm]] = {}
        self._learned_at: dict[str, datetime] = {}

    def learn(self, database: Database, moment: datetime) -> Iterator[int]:
        """Learn the rhythms of a few users who are due."""
        with database.read() as session:
            ids = _users(session)
        for gone in self._rhythms.keys() - set(ids):
            # Their alerts are decided once more by this round, as nothing is silent any more.
            self._rhythms[gone] = {}
        due = [each for each in ids if self._is_due(each, moment)]
        due.sort(key=lambda each: each in self._learned_at)
        yield 0
        for user_id in due[:_LEARNED_A_ROUND]:
            yield from self._learn_user(database, user_id, moment)

    def find(self, database: Database, moment: datetime) -> Generator[int, None, Silent]:
        """Return who is silent."""
        for rows in _in_slices(database, moment - 2 * _LEARN_EVERY):
            self._hear(rows)
            yield 0
        silences: dict[Pair, Silence] = {}
        users = set(self._rhythms)
        known = [each for user_id in users for each in self._rhythms[user_id].items()]
        for first in range(0, len(known), PAIRS_A_SLICE):
            for pair, rhythm in known[first : first + PAIRS_A_SLICE]:
                silence = find_silence(rhythm, moment)
                if silence and silence.is_alarming:
                    silences[pair] = silence
            yield 0
        return Silent(silences, users)

    def _is_due(self, user_id: str, moment: datetime) -> bool:
        learned_at = self._learned_at.get(user_id)
        return learned_at is None or moment - learned_at >= _LEARN_EVERY

    def _learn_user(self, database: Database, user_id: str, moment: datetime) -> Iterator[int]:
        counts: dict[Pair, dict[datetime, int]] = {}
        for rows in _in_slices(
            database, moment - MOST_WEEKS * WEEK, col(HourlyRollup.user_id) == user_id
        ):
            for hour, integration_id, event_type, _, count in rows:
                counts.setdefault((integration_id, event_type), {})[hour] = count
            yield 0
        rhythms: dict[Pair, Rhythm] = {}
        for number, (pair, by_hour) in enumerate(counts.items(), 1):
            rhythm = learn(by_hour)
            if rhythm is not None:
                rhythms[pair] = rhythm
            if number % PAIRS_A_SLICE == 0:
                yield 0
        self._rhythms[user_id], self._learned_at[user_id] = rhythms, moment

    def _hear(self, rows: Sequence[Any]) -> None:
        """Take in what came since it was learned."""
        for row in rows:
            pair = row.integration_id, row.event_type
            rhythms = self._rhythms.get(row.user_id, {})
            known = rhythms.get(pair)
            if known is not None and row.hour > known.last_hour:
                rhythms[pair] = Rhythm(known.usual, known.weeks, row.hour)


def _users(session: Session) -> Sequence[str]:
    return session.exec(
        select(IntegrationConfig.user_id)
        .where(
            col(IntegrationConfig.is_active).is_(True),
            col(IntegrationConfig.deleted_at).is_(None),
        )
        .distinct()
        .limit(_MOST_USERS)
    ).all()


def _in_slices(database: Database, since: datetime, *narrower: Any) -> Iterator[Sequence[Any]]:
    """Yield the counts of what was received since then in short reads, the newest first."""
    hour, integration = col(HourlyRollup.hour), col(HourlyRollup.integration_id)
    event_type = col(HourlyRollup.event_type)
    ordered = (
        sa.select(hour, integration, event_type, col(HourlyRollup.user_id), col(HourlyRollup.count))
        .where(hour >= since, col(HourlyRollup.outcome) == "received", *narrower)
        .order_by(hour.desc(), integration.desc(), event_type.desc())
        .limit(ROWS_A_SLICE)
    )
    query = ordered
    for _ in range(_MOST_ROLLUPS // ROWS_A_SLICE):
        with database.read() as session:
            rows = session.execute(query).all()
        if rows:
            yield rows
        if len(rows) < ROWS_A_SLICE:
            return
        last = rows[-1]
        is_within = and_(integration == last.integration_id, event_type < last.event_type)
        is_later = or_(integration < last.integration_id, is_within)
        query = ordered.where(
            hour <= last.hour, or_(hour < last.hour, and_(hour == last.hour, is_later))
        )


def _listening(session: Session, ids: Iterable[str], moment: datetime) -> list[IntegrationConfig]:
    """Return those that are neither paused nor removed, and at least a week old."""
    found = (session.get(IntegrationConfig, each) for each in ids)
    return [
        row
        for row in found
        if row and row.is_active and row.deleted_at is None and moment - row.created_at >= WEEK
    ]


def _condition(row: IntegrationConfig, types: list[tuple[str, Silence]]) -> Condition:
    ordered = sorted(types, key=lambda each: (-each[1].expected, each[0]))
    told = "; ".join(
        f"{event_type}: {silence.rhythm_words}, none since "
        f"{silence.since.strftime('%Y-%m-%d %H:%M')} UTC"
        for event_type, silence in ordered[:_MOST_NAMED]
    )
    more = len(ordered) - _MOST_NAMED
    rest = f" And {more} more." if more > 0 else ""
    return of_integration(
        row,
        KIND,
        title=f"{row.name} is silent",
        message=f"{told}.{rest} Check that the provider still sends to the hub's address.",
    )
