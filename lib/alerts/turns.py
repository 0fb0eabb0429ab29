"""Whose turn it is: of many workers one makes a round, and an overtaken one writes nothing."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, select

from lib.database import Database
from lib.models import HubFact

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Turn:
    """A round that a worker may make, and since when."""

    name: str
    moment: datetime

    def is_held(self, session: Session) -> bool:
        """Lock the turn until the transaction ends; say whether nobody has taken a later one."""
        return _lock(session, self.name).value == self.moment.isoformat()


def take_turn(database: Database, name: str, every: timedelta, *, moment: datetime) -> Turn | None:
    """Take the turn unless somebody took it less than `every` ago; only then is it written."""
    with database.read() as session:
        known = session.get(HubFact, name)
        if known is not None and _is_recent(known, every, moment):
            return None
    made = {"name": name, "value": _NEVER.isoformat()}
    insert = sqlite.insert if database.is_sqlite else postgresql.insert
    with database.write() as session:
        session.execute(insert(HubFact).values(made).on_conflict_do_nothing())
        row = _lock(session, name)
        if _is_recent(row, every, moment):
            return None
        row.value = moment.isoformat()
    return Turn(name, moment)


def _lock(session: Session, name: str) -> HubFact:
    return session.exec(select(HubFact).where(HubFact.name == name).with_for_update()).one()


def _is_recent(row: HubFact, every: timedelta, moment: datetime) -> bool:
    return timedelta(0) <= moment - datetime.fromisoformat(row.value) < every
