"""Delivering finished deliveries once more: a dry run, then an order that a worker carries out.

A replay makes new deliveries that point at their origins; it never touches a finished row.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from lib import audit
from lib.access import Actor, require_writer
from lib.clock import now
from lib.errors import InvalidInput, NotFound
from lib.hub import Hub
from lib.ids import new_id
from lib.models import Delivery, Destination, Replay
from lib.outgoing.delivery_filters import DeliveryFilters
from lib.outgoing.delivery_views import DeliveryRow, view_delivery
from lib.outgoing.dry_runs import START, look
from lib.outgoing.dry_runs import DryRun as DryRun
from lib.outgoing.dry_runs import Share as Share
from lib.outgoing.manual_sends import send_choices as send_choices
from lib.outgoing.manual_sends import send_event as send_event
from lib.outgoing.replay_rows import Scope, advance, count_ready


@dataclass(frozen=True)
class ReplayProgress:
    """How far an order is; `gone` were removed between the order and its execution."""

    id: str
    total: int
    made: int
    gone: int
    is_done: bool
    created_at: datetime
    finished_at: datetime | None


def dry_run(hub: Hub, actor: Actor, filters: DeliveryFilters) -> DryRun:
    """Return what a replay of all finished deliveries that match would do."""
    require_writer(actor)
    with hub.database.read() as session:
        return look(session, actor, filters)


def start(hub: Hub, actor: Actor, seen: DryRun) -> ReplayProgress:
    """Order what the dry run showed; a single delivery is made at once.

    Raises InvalidInput when there is nothing to replay, or when not all of it is there any
    more: then somebody should look at the new count first.
    """
    require_writer(actor)
    if not seen.count:
        said = seen.left_out or ("Choose others, or change the filters.",)
        raise InvalidInput(f"There is nothing to replay. {' '.join(said)}", field="filter")
    # Counting takes a while and what is finished stays finished, so the count needs no write lock.
    with hub.database.read() as session:
        _check_count(session, _scope(actor, seen), seen)
    with hub.database.write() as session:
        return _order(session, actor, seen)


def replay_one(hub: Hub, actor: Actor, delivery_id: str) -> DeliveryRow:
    """Deliver one finished delivery once more and return the new one.

    Raises NotFound, and InvalidInput for one that is still open or cannot be sent any more.
    """
    require_writer(actor)
    with hub.database.write() as session:
        seen = look(session, actor, DeliveryFilters(ids=(delivery_id,)))
        if seen.still_open:
            raise InvalidInput("It is still open. Use Retry now to send it at once.", field="id")
        if seen.left_out:
            raise InvalidInput(f"It cannot be replayed: {seen.left_out[0]}", field="id")
        if not seen.count:
            raise NotFound("There is no such delivery. Go back to the list of deliveries.")
        order = _order(session, actor, seen)
        event_id = seen.sample[0].event_id
        query = (
            select(Delivery, Destination)
            .join(Destination, col(Destination.id) == col(Delivery.destination_id))
            .where(col(Delivery.event_id) == event_id, col(Delivery.replay_id) == order.id)
        )
        delivery, destination = session.exec(query).one()
        return view_delivery(delivery, destination, actor)


def progress(hub: Hub, actor: Actor, replay_id: str) -> ReplayProgress:
    """Return how far an order is; raise NotFound for another member's."""
    require_writer(actor)
    with hub.database.read() as session:
        replay = session.get(Replay, replay_id)
    if replay is None or not (actor.sees_all or replay.user_id == actor.id):
        raise NotFound("There is no such replay. Start it again from the list of deliveries.")
    return _view(replay)


def work_replays(hub: Hub) -> int:
    """Make up to 500 deliveries of one waiting order and return how many were made.

    Any number of workers may do this at once. Of several orders the one that has got least
    is served, so a small one does not wait for the end of a large one.
    """
    waiting = (
        select(Replay)
        .where(col(Replay.status) == "pending")
        .order_by(col(Replay.made), col(Replay.id))
        .limit(1)
    )
    # Most rounds find nothing; on SQLite they must not take the write lock for it.
    with hub.database.read() as session:
        if session.exec(waiting).first() is None:
            return 0
    if not hub.database.is_sqlite:
        waiting = waiting.with_for_update(skip_locked=True)
    with hub.database.write() as session:
        replay = session.exec(waiting).first()
        return 0 if replay is None else advance(session, replay)


def _check_count(session: Session, scope: Scope, seen: DryRun) -> None:
    count = count_ready(session, scope, until_id=seen.until_id)
    if count == seen.count:
        return
    raise InvalidInput(
        f"{seen.count:,} deliveries were counted, and {count:,} are there now. Look at the "
        "new count and start again.",
        field="count",
    )


def _order(session: Session, actor: Actor, seen: DryRun) -> ReplayProgress:
    replay = Replay(
        id=new_id("rpl"),
        user_id=actor.id,
        filters=_scope(actor, seen).to_json(),
        until_id=seen.until_id,
        cursor=START,
        total=seen.count,
        made=0,
        status="pending",
        created_at=now(),
    )
    session.add(replay)
    session.flush()
    if replay.total == 1:
        advance(session, replay)
    audit.record(session, actor, "replay.started", replay.id, count=str(replay.total))
    return _view(replay)


def _scope(actor: Actor, seen: DryRun) -> Scope:
    return Scope(None if actor.sees_all else actor.id, seen.filters, seen.counted_at)


def _view(replay: Replay) -> ReplayProgress:
    is_done = replay.status == "done"
    return ReplayProgress(
        id=replay.id,
        total=replay.total,
        made=replay.made,
        gone=replay.total - replay.made if is_done else 0,
        is_done=is_done,
        created_at=replay.created_at,
        finished_at=replay.finished_at,
    )
