"""Doing one thing to many events: found once, shown by a dry run, carried out in batches.

What was found is what is done: the ids are kept between the two, so an event that arrives
meanwhile is not among them.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from lib import audit, tags
from lib.access import Actor, require_writer
from lib.clock import now
from lib.errors import HubError, InvalidInput
from lib.event_conditions import Condition, EventFilters
from lib.event_windows import EventSearch
from lib.hub import Hub
from lib.models import Delivery, WebhookEvent
from lib.outgoing import replays
from lib.outgoing.delivery_filters import FINISHED, QUEUED, DeliveryFilters, visible_to
from lib.outgoing.dry_runs import DryRun

MOST_EVENTS = 10_000
BATCH = 200
ACTIONS: Mapping[str, str] = {
    "replay": "Deliver again",
    "cancel": "Cancel what is queued",
    "retry": "Process failed ones again",
    "resolve": "Mark failed ones as resolved",
    "tag": "Add a tag",
    "untag": "Take a tag off",
}


@dataclass(frozen=True)
class Matched:
    """The events that filters found; `is_all` is False when there are more than 10,000."""

    ids: tuple[str, ...]
    is_all: bool


@dataclass(frozen=True)
class Plan:
    """What an action on events would do, before it does anything.

    `count` is how many events or deliveries change; `by_destination` says where to, for what is
    delivered again. `seconds` is how long that takes at the destinations' limits.
    """

    action: str
    event_ids: tuple[str, ...]
    count: int
    by_destination: tuple[tuple[str, int], ...] = ()
    seconds: float = 0.0
    replayed_before: int = 0
    left_out: tuple[str, ...] = ()
    tag: str = ""
    dry_runs: tuple[DryRun, ...] = field(default=(), repr=False)


def match(hub: Hub, actor: Actor, filters: EventFilters) -> Matched:
    """Return the newest events that match, up to 10,000."""
    require_writer(actor)
    found: list[str] = []
    cursor: str | None = None
    with hub.database.read() as session:
        search = EventSearch(session, actor, filters)
        while len(found) < MOST_EVENTS:
            page = search.page(cursor=cursor, limit=BATCH)
            found += page.rows
            cursor = page.next_cursor
            if cursor is None:
                return Matched(tuple(found), is_all=True)
    return Matched(tuple(found[:MOST_EVENTS]), is_all=False)


def plan(hub: Hub, actor: Actor, action: str, event_ids: Sequence[str], *, tag: str = "") -> Plan:
    """Return what `action` on the events would do; raise InvalidInput for a malformed tag."""
    require_writer(actor)
    ids = tuple(event_ids)
    if action == "replay":
        return _plan_replay(hub, actor, ids)
    if action in ("tag", "untag"):
        tag = tags.read_tag(tag)
    elif action not in ACTIONS:
        raise InvalidInput(f"Choose one of: {', '.join(ACTIONS)}.", field="action")
    with hub.database.read() as session:
        counts = [_COUNTS[action](session, actor, batch) for batch in _batches(ids)]
    return Plan(action, ids, sum(counts), tag=tag)


def carry_out(hub: Hub, actor: Actor, planned: Plan) -> Iterator[int]:
    """Do what was planned, batch by batch; yield how many were done so far.

    A batch of which something is gone by now is left out, and the others are done.
    """
    require_writer(actor)
    done = 0
    for step in _steps(hub, actor, planned):
        try:
            done += step()
        except HubError:
            # Somebody else was quicker with all of this batch.
            continue
        yield done


def _steps(hub: Hub, actor: Actor, planned: Plan) -> Iterator[Callable[[], int]]:
    if planned.action == "replay":
        for seen in planned.dry_runs:
            yield partial(_replay, hub, actor, seen)
        return
    for batch in _batches(planned.event_ids):
        if planned.action in _CHANGES:
            yield partial(_CHANGES[planned.action], hub, actor, batch)
        else:
            change = tags.add_tag if planned.action == "tag" else tags.remove_tag
            yield partial(change, hub, actor, batch, planned.tag)


def _replay(hub: Hub, actor: Actor, seen: DryRun) -> int:
    return replays.start(hub, actor, seen).total


def cancel_queued(hub: Hub, actor: Actor, event_ids: Sequence[str]) -> int:
    """End what is queued for the events without sending it; return how many deliveries."""
    require_writer(actor)
    with hub.database.write() as session:
        cancelled = session.execute(
            update(Delivery)
            .where(col(Delivery.event_id).in_(event_ids), col(Delivery.status).in_(QUEUED))
            .where(*visible_to(actor))
            .values(status="cancelled", next_attempt_at=None, finished_at=now())
            .returning(col(Delivery.id))
            .execution_options(synchronize_session=False)
        )
        ids = sorted(cancelled.scalars())
        for delivery_id in ids:
            audit.record(session, actor, "delivery.cancelled", delivery_id)
    return len(ids)


def resolve_failed(hub: Hub, actor: Actor, event_ids: Sequence[str]) -> int:
    """Mark failed events as needing nobody any more; return how many."""
    return _change_failed(hub, actor, event_ids, "event.resolved", {"resolved_at": now()})


def retry_failed(hub: Hub, actor: Actor, event_ids: Sequence[str]) -> int:
    """Hand failed events to the worker again; return how many. Those without payload stay."""
    values = {"status": "pending", "attempts": 0, "due_at": now(), "lease_id": None}
    return _change_failed(hub, actor, event_ids, "event.retried", values)


def _change_failed(
    hub: Hub,
    actor: Actor,
    event_ids: Sequence[str],
    action: str,
    values: Mapping[str, object],
) -> int:
    require_writer(actor)
    statement = (
        update(WebhookEvent)
        .where(col(WebhookEvent.id).in_(event_ids), *_failed(actor))
        .values(dict(values))
        .returning(col(WebhookEvent.id))
        .execution_options(synchronize_session=False)
    )
    if action == "event.retried":
        statement = statement.where(col(WebhookEvent.payload_removed_at).is_(None))
    with hub.database.write() as session:
        ids = sorted(session.execute(statement).scalars())
        for event_id in ids:
            audit.record(session, actor, action, event_id)
    return len(ids)


def _failed(actor: Actor) -> list[Condition]:
    own = [] if actor.sees_all else [col(WebhookEvent.user_id) == actor.id]
    return [
        col(WebhookEvent.status) == "failed",
        col(WebhookEvent.resolved_at).is_(None),
        *own,
    ]


def _plan_replay(hub: Hub, actor: Actor, event_ids: tuple[str, ...]) -> Plan:
    dry_runs = []
    with hub.database.read() as session:
        chosen = [each for batch in _batches(event_ids) for each in _newest(session, actor, batch)]
    for batch in _batches(chosen):
        seen = replays.dry_run(hub, actor, DeliveryFilters(ids=tuple(batch)))
        dry_runs.append(seen)
    shares: Counter[str] = Counter()
    seconds: Counter[str] = Counter()
    for seen in dry_runs:
        for share in seen.destinations:
            shares[share.name] += share.count
            seconds[share.destination_id] += 0 if share.waits else round(share.seconds * 1000)
    return Plan(
        "replay",
        event_ids,
        sum(seen.count for seen in dry_runs),
        by_destination=tuple(shares.most_common()),
        # Destinations do not wait for each other.
        seconds=max(seconds.values(), default=0) / 1000,
        replayed_before=sum(seen.replayed_before for seen in dry_runs),
        left_out=tuple(dict.fromkeys(said for seen in dry_runs for said in seen.left_out)),
        dry_runs=tuple(seen for seen in dry_runs if seen.count),
    )


def _newest(session: Session, actor: Actor, event_ids: Sequence[str]) -> list[str]:
    """Return the newest delivery of each event to each destination, where that has ended."""
    newest = (
        select(func.max(col(Delivery.id)))
        .where(col(Delivery.event_id).in_(event_ids), *visible_to(actor))
        .group_by(col(Delivery.event_id), col(Delivery.destination_id))
    )
    query = select(col(Delivery.id)).where(
        col(Delivery.id).in_(newest), col(Delivery.status).in_(FINISHED)
    )
    return sorted(session.exec(query))


def _count_queued(session: Session, actor: Actor, event_ids: Sequence[str]) -> int:
    query = select(func.count()).where(
        col(Delivery.event_id).in_(event_ids),
        col(Delivery.status).in_(QUEUED),
        *visible_to(actor),
    )
    return session.exec(query).one()


def _count_failed(session: Session, actor: Actor, event_ids: Sequence[str]) -> int:
    return _count(session, event_ids, _failed(actor))


def _count_retriable(session: Session, actor: Actor, event_ids: Sequence[str]) -> int:
    kept = col(WebhookEvent.payload_removed_at).is_(None)
    return _count(session, event_ids, [*_failed(actor), kept])


def _count_visible(session: Session, actor: Actor, event_ids: Sequence[str]) -> int:
    own = [] if actor.sees_all else [col(WebhookEvent.user_id) == actor.id]
    return _count(session, event_ids, own)


def _count(session: Session, event_ids: Sequence[str], conditions: Sequence[Condition]) -> int:
    query = select(func.count()).where(col(WebhookEvent.id).in_(event_ids), *conditions)
    return session.exec(query).one()


def _batches(ids: Sequence[str]) -> Iterator[list[str]]:
    left = iter(ids)
    while batch := list(islice(left, BATCH)):
        yield batch


_COUNTS = {
    "cancel": _count_queued,
    "retry": _count_retriable,
    "resolve": _count_failed,
    "tag": _count_visible,
    "untag": _count_visible,
}
_CHANGES = {"cancel": cancel_queued, "retry": retry_failed, "resolve": resolve_failed}
