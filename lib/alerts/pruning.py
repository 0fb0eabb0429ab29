"""What is over goes after a while: resolved alerts, and messages that were sent or given up."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete
from sqlmodel import Session, col, select

from lib.clock import now
from lib.database import Database
from lib.ids import first_id
from lib.models import Alert, AlertMessage

KEPT = timedelta(days=90)
BATCH = 200


def prune(database: Database) -> Iterator[int]:
    """Remove what is older than 90 days, a batch a slice; yields 0, for nothing of it is news.

    A message that still waits, as on a channel that is paused, goes too: it would be no news.
    """
    for table, find in ((Alert, _old_alerts), (AlertMessage, _old_messages)):
        is_more = True
        while is_more:
            is_more = _remove(database, table, find)
            yield 0


def _remove(database: Database, table: Any, find: Any) -> bool:
    with database.read() as session:
        if not find(session):
            return False
    with database.write() as session:
        ids = find(session)
        session.execute(delete(table).where(col(table.id).in_(ids)))
    return len(ids) == BATCH


def _old_alerts(session: Session) -> Sequence[str]:
    return session.exec(
        select(Alert.id)
        .where(col(Alert.resolved_at).is_not(None), col(Alert.resolved_at) < now() - KEPT)
        .order_by(col(Alert.resolved_at))
        .limit(BATCH)
    ).all()


def _old_messages(session: Session) -> Sequence[str]:
    return session.exec(
        select(AlertMessage.id)
        .where(col(AlertMessage.id) < first_id("alm", now() - KEPT))
        .order_by(col(AlertMessage.id))
        .limit(BATCH)
    ).all()
