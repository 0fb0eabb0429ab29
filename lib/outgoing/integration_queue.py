"""What of a connection is still on its way, and its end when the connection is removed."""

from typing import Any

from sqlalchemy import ColumnElement, func
from sqlalchemy import update as sql_update
from sqlmodel import Session, col, select

from lib.access import Actor
from lib.clock import now
from lib.connections.integrations import owned_row
from lib.hub import Hub
from lib.models import Delivery, Destination, IntegrationConfig

_BATCH = 500


def count_open(hub: Hub, actor: Actor, integration_id: str) -> int:
    """Return how many deliveries are queued or being sent, which a removal would cancel."""
    with hub.database.read() as session:
        row = owned_row(session, actor, integration_id)
        return sum(
            session.exec(select(func.count()).where(*_open(row, is_open))).one()
            for is_open in _kinds()
        )


def cancel_open(hub: Hub, integration_id: str) -> int:
    """Cancel in small batches what is on its way of a removed connection; return how many."""
    cancelled = 0
    while batch := _cancel_batch(hub, integration_id, limit=_BATCH):
        cancelled += batch
    # Batches pass over what a worker holds just now; the last one waits for it.
    return cancelled + _cancel_batch(hub, integration_id, limit=None)


def _cancel_batch(hub: Hub, integration_id: str, *, limit: int | None) -> int:
    with hub.database.write() as session:
        row = session.get_one(IntegrationConfig, integration_id)
        return sum(_cancel(session, row, is_open, limit=limit) for is_open in _kinds())


def _cancel(
    session: Session, row: IntegrationConfig, is_open: ColumnElement[bool], *, limit: int | None
) -> int:
    chosen = (
        select(col(Delivery.id))
        .where(*_open(row, is_open))
        .limit(limit)
        .with_for_update(skip_locked=limit is not None)
    )
    done: Any = session.execute(
        sql_update(Delivery)
        .where(col(Delivery.id).in_(chosen), is_open)
        .values(
            status="cancelled",
            next_attempt_at=None,
            lease_id=None,
            lease_until=None,
            finished_at=now(),
        )
        .execution_options(synchronize_session=False)
    )
    return int(done.rowcount)


def _kinds() -> tuple[ColumnElement[bool], ...]:
    # One look into each partial index: an OR would read every delivery.
    return col(Delivery.next_attempt_at).is_not(None), col(Delivery.lease_until).is_not(None)


def _open(row: IntegrationConfig, is_open: ColumnElement[bool]) -> tuple[Any, ...]:
    """Return the conditions; both indexes begin with the destination."""
    own = select(col(Destination.id)).where(col(Destination.user_id) == row.user_id)
    return (
        col(Delivery.destination_id).in_(own),
        col(Delivery.integration_id) == row.id,
        is_open,
    )
