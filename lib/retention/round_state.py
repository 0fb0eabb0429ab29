"""The one round of retention: who works on it, how far it is, what it removed so far.

It is a fact of the hub that changes in the transaction of each batch, so a worker that dies
leaves a round that another can carry on.
"""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from lib.clock import now
from lib.models import HubFact

FACT = "retention_round"
EVERY = timedelta(hours=1)
LEASE = timedelta(minutes=1)


@dataclass
class Round:
    """Where the hub's retention stands; `stage` is empty between two rounds.

    The round sweeps integration by integration: `done_owner` is the last that is finished,
    `sweep` the one it is at, and `after` where that goes on. `stale_documents` were removed
    from the search since its index was last merged.
    """

    holder: str = ""
    held_until: str = ""
    started_at: str = ""
    stage: str = ""
    done_owner: str = ""
    sweep: str = ""
    after: str = ""
    removed: dict[str, int] = field(default_factory=dict)
    bytes_removed: int = 0
    bytes_before: int = 0
    stale_documents: int = 0

    @property
    def is_running(self) -> bool:
        """Whether the round has begun and not ended."""
        return bool(self.stage)

    def is_held_by_another(self, holder: str) -> bool:
        """Whether another worker has worked on it within the last minute."""
        return self.is_running and self.holder != holder and not _is_past(self.held_until)

    def is_due(self) -> bool:
        """Whether the next round may begin."""
        return not self.started_at or _is_past(self.started_at, EVERY)


def begin_round(last: Round) -> Round:
    """Return the state of the round after `last`, at its start."""
    return Round(started_at=now().isoformat(), stage="open", stale_documents=last.stale_documents)


def find_round(session: Session) -> Round:
    """Return the round as it stands, without locking it."""
    fact = session.get(HubFact, FACT)
    return Round(**json.loads(fact.value)) if fact else Round()


def lock_round(session: Session) -> Round:
    """Return the round, locked until the transaction ends."""
    query = select(HubFact).where(col(HubFact.name) == FACT).with_for_update()
    fact = session.exec(query).first()
    if fact is None:
        dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
        fresh = dialect.insert(HubFact).values(name=FACT, value=json.dumps(asdict(Round())))
        session.execute(fresh.on_conflict_do_nothing())
        fact = session.exec(query).one()
    return Round(**json.loads(fact.value))


def keep_round(session: Session, current: Round, holder: str) -> None:
    """Store the round, held by this worker for another minute."""
    current.holder, current.held_until = holder, (now() + LEASE).isoformat()
    session.get_one(HubFact, FACT).value = json.dumps(asdict(current))


def _is_past(moment: str, by: timedelta = timedelta(0)) -> bool:
    return datetime.fromisoformat(moment) + by <= now()
