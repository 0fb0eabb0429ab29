"""Integrations that are silent against their rhythm, learned from the hourly rollups.

What was learned is kept in the worker's memory and learned again every hour, a few users a
round, so that a round costs little however large the hub is.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from lib.alerts.conditions import of_integration
from lib.alerts.kinds import Condition
from lib.alerts.rhythm import MOST_WEEKS, WEEK, Rhythm, Silence, find_silence, learn
from lib.models import HourlyRollup, IntegrationConfig

KIND = "integration_silent"
_LEARN_EVERY = timedelta(hours=1)
_LEARNED_A_ROUND = 3
_MOST_ROLLUPS = 200_000
_MOST_USERS = 10_000
_MOST_NAMED = 3

Pair = tuple[str, str]


class SilenceWatch:
    """Knows the rhythms of all users that it has had time to learn."""

    def __init__(self) -> None:
        self._rhythms: dict[str, dict[Pair, Rhythm]] = {}
        self._learned_at: dict[str, datetime] = {}

    def look(self, session: Session, moment: datetime) -> tuple[list[Condition], set[str]]:
        """Return who is silent, and the users of whom that was decided."""
        self._learn(session, moment)
        self._hear(session, moment)
        silent = {
            pair: silence
            for rhythms in self._rhythms.values()
            for pair, rhythm in rhythms.items()
            if (silence := find_silence(rhythm, moment)) and silence.is_alarming
        }
        return _conditions(session, silent, moment), set(self._rhythms)

    def _learn(self, session: Session, moment: datetime) -> None:
        ids = session.exec(
            select(IntegrationConfig.user_id)
            .where(
                col(IntegrationConfig.is_active).is_(True),
                col(IntegrationConfig.deleted_at).is_(None),
            )
            .distinct()
            .limit(_MOST_USERS)
        ).all()
        for gone in self._rhythms.keys() - set(ids):
            # Their alerts are decided once more by this round, as nothing is silent any more.
            self._rhythms[gone] = {}
        due = [each for each in ids if self._is_due(each, moment)]
        due.sort(key=lambda each: each in self._learned_at)
        for user_id in due[:_LEARNED_A_ROUND]:
            self._rhythms[user_id] = _learn_user(session, user_id, moment)
            self._learned_at[user_id] = moment

    def _is_due(self, user_id: str, moment: datetime) -> bool:
        learned_at = self._learned_at.get(user_id)
        return learned_at is None or moment - learned_at >= _LEARN_EVERY

    def _hear(self, session: Session, moment: datetime) -> None:
        """Take in what came since: the last hours of the whole hub are few rows."""
        since = moment - 2 * _LEARN_EVERY
        rows = session.exec(
            select(
                HourlyRollup.user_id,
                HourlyRollup.integration_id,
                HourlyRollup.event_type,
                HourlyRollup.hour,
            )
            .where(col(HourlyRollup.hour) >= since, HourlyRollup.outcome == "received")
            .limit(_MOST_ROLLUPS)
        ).all()
        for user_id, integration_id, event_type, hour in rows:
            rhythms = self._rhythms.get(user_id, {})
            known = rhythms.get((integration_id, event_type))
            if known is not None and hour > known.last_hour:
                rhythms[integration_id, event_type] = Rhythm(known.usual, known.weeks, hour)


def _learn_user(session: Session, user_id: str, moment: datetime) -> dict[Pair, Rhythm]:
    counts: dict[Pair, dict[datetime, int]] = {}
    rows = session.exec(
        select(
            HourlyRollup.integration_id,
            HourlyRollup.event_type,
            HourlyRollup.hour,
            HourlyRollup.count,
        )
        .where(
            HourlyRollup.user_id == user_id,
            col(HourlyRollup.hour) >= moment - MOST_WEEKS * WEEK,
            HourlyRollup.outcome == "received",
        )
        .order_by(col(HourlyRollup.hour).desc())
        .limit(_MOST_ROLLUPS)
    )
    for integration_id, event_type, hour, count in rows:
        counts.setdefault((integration_id, event_type), {})[hour] = count
    learned = {pair: learn(by_hour) for pair, by_hour in counts.items()}
    return {pair: rhythm for pair, rhythm in learned.items() if rhythm is not None}


def _conditions(session: Session, silent: dict[Pair, Silence], moment: datetime) -> list[Condition]:
    by_integration: dict[str, list[tuple[str, Silence]]] = {}
    for (integration_id, event_type), silence in silent.items():
        by_integration.setdefault(integration_id, []).append((event_type, silence))
    rows = _listening(session, by_integration, moment)
    return [_condition(row, by_integration[row.id]) for row in rows]


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
