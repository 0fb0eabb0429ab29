"""Doing one thing to many events: found once, shown by a dry run, carried out in batches.

What was shown is what is done: a plan names what it changes, so that an event which arrives
meanwhile is not among it.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import islice

from lib.access import Actor, require_writer
from lib.clock import now
from lib.errors import HubError, InvalidInput
from lib.events import bulk_changes, tags
from lib.events.bulk_changes import Target
from lib.events.conditions import EventFilters
from lib.events.windows import EventSearch
from lib.hub import Hub
from lib.outgoing import replays
from lib.outgoing.delivery_filters import DeliveryFilters
from lib.outgoing.dry_runs import DryRun

MOST = 10_000
BATCH = 200
PLAN_LASTS = timedelta(minutes=15)
ACTIONS: Mapping[str, str] = {
    "replay": "Deliver again",
    "cancel": "Cancel what is queued",
    "retry": "Process failed ones again",
    "resolve": "Mark failed ones as resolved",
    "tag": "Add a tag",
    "untag": "Take a tag off",
}
_SAMPLE = 5
_CHANGED = "They are no longer as they were shown: somebody else, or the worker, was quicker."


@dataclass(frozen=True)
class Matched:
    """The events that filters found; `is_all` is False when there are more than 10,000."""

    ids: tuple[str, ...]
    is_all: bool


@dataclass(frozen=True)
class Plan:
    """What an action would do, before it does anything; good for 15 minutes.

    `targets` are the ids of what changes, deliveries for a cancellation and events otherwise; a
    replay holds its dry runs instead. `sample` are the first events concerned. `by_destination`
    counts deliveries; `seconds` is how long a replay takes at the destinations' limits.
    """

    action: str
    count: int
    targets: tuple[str, ...] = ()
    sample: tuple[str, ...] = ()
    by_destination: tuple[tuple[str, int], ...] = ()
    seconds: float = 0.0
    replayed_before: int = 0
    left_out: tuple[str, ...] = ()
    tag: str = ""
    dry_runs: tuple[DryRun, ...] = field(default=(), repr=False)
    made_at: datetime = field(default_factory=now)


@dataclass(frozen=True)
class Progress:
    """How far a plan is: what is done, what was left out, and why the first of that was."""

    done: int
    left_out: int = 0
    reason: str = ""


def match(hub: Hub, actor: Actor, filters: EventFilters) -> Matched:
    """Return the newest events that match, up to 10,000."""
    require_writer(actor)
    found: list[str] = []
    cursor: str | None = None
    with hub.database.read() as session:
        search = EventSearch(session, actor, filters)
        while len(found) < MOST:
            page = search.page(cursor=cursor, limit=BATCH)
            found += page.rows
            cursor = page.next_cursor
            if cursor is None:
                return Matched(tuple(found), is_all=True)
    return Matched(tuple(found[:MOST]), is_all=False)


def plan(hub: Hub, actor: Actor, action: str, event_ids: Sequence[str], *, tag: str = "") -> Plan:
    """Return what `action` on the events would do; raise InvalidInput for a malformed tag."""
    require_writer(actor)
    if action == "replay":
        return _plan_replay(hub, actor, event_ids)
    if action not in ACTIONS:
        raise InvalidInput(f"Choose one of: {', '.join(ACTIONS)}.", field="action")
    value = tags.read_tag(tag) if action in ("tag", "untag") else ""
    find = _FINDERS[action]
    with hub.database.read() as session:
        found = [
            target for batch in _batches(event_ids) for target in find(session, actor, batch, value)
        ]
    return _plan_of(action, found, tag=value)


def plan_cancelling(hub: Hub, actor: Actor, filters: DeliveryFilters) -> Plan:
    """Return what cancelling the matching deliveries would do, up to the newest 10,000.

    Only what waits is cancelled. Raises InvalidInput for filters that cannot be.
    """
    require_writer(actor)
    with hub.database.read() as session:
        found = bulk_changes.queued_that_match(session, actor, filters, most=MOST + 1)
    more = (f"More match; these are the newest {MOST:,}.",) if len(found) > MOST else ()
    return _plan_of("cancel", found[:MOST], left_out=more)


def carry_out(hub: Hub, actor: Actor, planned: Plan) -> Iterator[Progress]:
    """Do what was planned, batch by batch, and yield how far it is after each.

    What is no longer as it was is left out and counted. Raises InvalidInput, before anything is
    done, for a plan that is too old.
    """
    require_writer(actor)
    if now() - planned.made_at > PLAN_LASTS:
        raise InvalidInput(
            "What was shown is older than 15 minutes. Look at it anew, then start.", field="plan"
        )
    done = left_out = 0
    reason = ""
    for size, step in _steps(hub, actor, planned):
        changed, said = _take(step)
        done, left_out = done + changed, left_out + size - changed
        if changed < size:
            reason = reason or said
        yield Progress(done, left_out, reason)


def _take(step: Callable[[], int]) -> tuple[int, str]:
    try:
        return step(), _CHANGED
    except HubError as error:
        return 0, error.message


def _steps(hub: Hub, actor: Actor, planned: Plan) -> Iterator[tuple[int, Callable[[], int]]]:
    for seen in planned.dry_runs:
        yield seen.count, partial(_replay, hub, actor, seen)
    for batch in _batches(planned.targets):
        if planned.action in _CHANGES:
            yield len(batch), partial(_CHANGES[planned.action], hub, actor, batch)
        else:
            change = tags.add_tag if planned.action == "tag" else tags.remove_tag
            yield len(batch), partial(change, hub, actor, batch, planned.tag)


def _replay(hub: Hub, actor: Actor, seen: DryRun) -> int:
    return replays.start(hub, actor, seen).total


def _plan_of(
    action: str, found: Sequence[Target], *, tag: str = "", left_out: tuple[str, ...] = ()
) -> Plan:
    places = Counter(target.destination for target in found if target.destination)
    events = dict.fromkeys(target.event_id for target in found)
    return Plan(
        action,
        len(found),
        targets=tuple(target.id for target in found),
        sample=tuple(islice(events, _SAMPLE)),
        by_destination=tuple(places.most_common()),
        left_out=left_out,
        tag=tag,
    )


def _plan_replay(hub: Hub, actor: Actor, event_ids: Sequence[str]) -> Plan:
    with hub.database.read() as session:
        chosen = [
            each
            for batch in _batches(event_ids)
            for each in bulk_changes.newest_finished(session, actor, batch)
        ]
    dry_runs = [
        replays.dry_run(hub, actor, DeliveryFilters(ids=tuple(batch)))
        for batch in _batches(sorted(chosen, reverse=True))
    ]
    shares: Counter[str] = Counter()
    milliseconds: Counter[str] = Counter()
    for seen in dry_runs:
        for share in seen.destinations:
            shares[share.name] += share.count
            milliseconds[share.destination_id] += 0 if share.waits else round(share.seconds * 1000)
    events = dict.fromkeys(row.event_id for seen in dry_runs for row in seen.sample)
    return Plan(
        "replay",
        sum(seen.count for seen in dry_runs),
        sample=tuple(islice(events, _SAMPLE)),
        by_destination=tuple(shares.most_common()),
        # Destinations do not wait for each other.
        seconds=max(milliseconds.values(), default=0) / 1000,
        replayed_before=sum(seen.replayed_before for seen in dry_runs),
        left_out=tuple(dict.fromkeys(said for seen in dry_runs for said in seen.left_out)),
        dry_runs=tuple(seen for seen in dry_runs if seen.count),
    )


def _batches(ids: Sequence[str]) -> Iterator[list[str]]:
    left = iter(ids)
    while batch := list(islice(left, BATCH)):
        yield batch


_FINDERS = {
    "cancel": bulk_changes.queued_of_events,
    "retry": bulk_changes.retriable_events,
    "resolve": bulk_changes.failed_events,
    "tag": bulk_changes.taggable_events,
    "untag": bulk_changes.tagged_events,
}
_CHANGES = {
    "cancel": bulk_changes.cancel_queued,
    "retry": bulk_changes.retry_failed,
    "resolve": bulk_changes.resolve_failed,
}
