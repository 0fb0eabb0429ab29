"""Deliveries whose worker was lost while it asked a service to reach a person.

Nobody knows whether the service did it, so they are not sent again by themselves.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from lib.models import Delivery, Destination, DestinationState
from lib.outgoing.action_destinations import action_kinds, reaches_people
from lib.outgoing.attempt import not_sent
from lib.outgoing.claims import Claimed, Lease, expired, still_held
from lib.outgoing.settlement import Finished, settle
from lib.providers.targets import Judgement
from lib.vendors.action_runs import MAYBE_DONE

_UNSURE = Judgement(
    "dead", "timeout", f"The hub stopped while it waited for the answer. {MAYBE_DONE}"
)


def bury_expired(session: Session, moment: datetime) -> int:
    """End what a worker held that did not come back; say how many."""
    return _bury(session, expired(moment), moment)


def bury_claimed(session: Session, claimed: Sequence[Claimed], moment: datetime) -> int:
    """End what a worker gives up that it had begun; say how many."""
    return _bury(session, still_held(claimed), moment) if claimed else 0


def _bury(session: Session, condition: Any, moment: datetime) -> int:
    of_actions = (condition, col(Destination.kind).in_(action_kinds()))
    query = (
        select(Delivery, Destination)
        .join(Destination, col(Destination.id) == col(Delivery.destination_id))
        .where(*of_actions)
        .order_by(col(Delivery.id))
    )
    ids = {destination.id for _, destination in session.execute(query)}
    if not ids:
        return 0
    # The states come first everywhere; under them what is still held is read once more.
    states = select(DestinationState).where(col(DestinationState.destination_id).in_(ids))
    session.execute(states.order_by(col(DestinationState.destination_id)).with_for_update()).all()
    rows = session.execute(query.execution_options(populate_existing=True)).all()
    unsure = [
        _finished(delivery, destination, moment)
        for delivery, destination in rows
        if destination.id in ids and reaches_people(session, destination)
    ]
    settle(session, unsure, moment)
    return len(unsure)


def _finished(row: Delivery, destination: Destination, moment: datetime) -> Finished:
    claimed = Claimed(
        id=row.id,
        user_id=row.user_id,
        integration_id=row.integration_id,
        destination=destination,
        mapping=row.mapping,
        attempts=row.attempts,
        lease=Lease(row.lease_id or "", moment, moment),
        event=None,
    )
    return Finished(claimed, not_sent(_UNSURE))
