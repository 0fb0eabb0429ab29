"""Writing down what became of attempts, in batches: one transaction for many."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson
from sqlalchemy import bindparam, select, update
from sqlmodel import Session, col

from lib.clock import hour_of
from lib.histogram import bucket_of
from lib.id_lists import is_listed, listed
from lib.ids import new_id
from lib.log import redact_headers
from lib.models import (
    DeliveryRollup,
    Destination,
    DestinationState,
    Route,
)
from lib.outgoing import breaker, schedule
from lib.outgoing.attempt import AttemptResult
from lib.outgoing.attempt_rows import insert_attempts
from lib.outgoing.claim_statements import DELIVERIES
from lib.outgoing.claims import Claimed
from lib.outgoing.failure_counts import count_failures
from lib.outgoing.issues import DeadLetter, note_dead
from lib.processing.rollups import add_counts
from lib.providers.text import clean_text

_LAST_COUNTED_ATTEMPT = 10
_LONGEST_MESSAGE = 2_000


class _Ending(NamedTuple):
    """What an attempt's end makes of the delivery: its columns by their names."""

    status: str
    next_attempt_at: datetime | None
    finished_at: datetime | None
    response_status: int | None
    error_class: str | None
    last_error: str | None
    issue_id: str | None = None


# On the tables themselves: the mapped classes' own way costs several times as much a row.
_NEW_VALUES = {
    "attempts": DELIVERIES.c.attempts + 1,
    "lease_id": None,
    "lease_until": None,
    **{name: bindparam(name) for name in _Ending._fields},
}
_FINISH = update(DELIVERIES).values(_NEW_VALUES).where(is_listed(DELIVERIES.c.id))
_PUT_OFF = update(DELIVERIES).values(_NEW_VALUES).where(DELIVERIES.c.id == bindparam("row_id"))
_LEASES = (
    select(DELIVERIES.c.id, DELIVERIES.c.lease_id)
    .where(is_listed(DELIVERIES.c.id))
    .order_by(DELIVERIES.c.id)
    .with_for_update()
)
# In one order everywhere, so that two workers cannot wait for each other's rows.
_LOCK_STATES = (
    select(DestinationState)
    .where(is_listed(col(DestinationState.destination_id)))
    .order_by(col(DestinationState.destination_id))
    .with_for_update()
)


@dataclass(frozen=True, repr=False)
class Finished:
    """A claimed delivery and how its attempt ended."""

    claimed: Claimed
    result: AttemptResult


def settle(session: Session, finished: Sequence[Finished], moment: datetime) -> None:
    """Record all attempts, and move the deliveries on that this worker still holds.

    One whose lease ran out belongs to another worker by now, which alone decides about it.
    """
    if not finished:
        return
    states = _lock_states(session, {item.claimed.destination.id for item in finished})
    for item in finished:
        _note_in_state(states[item.claimed.destination.id], item, moment)
    held = _still_held(session, finished)
    endings = {item.claimed.id: _end(item, moment) for item in finished}
    mine = [item for item in finished if item.claimed.id in held]
    issue_ids = _note_issues(session, mine, endings, moment)
    insert_attempts(session, [_attempt_row(item, endings) for item in finished])
    _move_on(session, mine, endings, issue_ids)
    _disable_gone(session, finished, moment)
    _count(session, finished, endings)
    count_failures(session, finished)


def _lock_states(session: Session, ids: set[str]) -> dict[str, DestinationState]:
    return {
        state.destination_id: state
        for state in session.execute(_LOCK_STATES, listed(ids)).scalars()
    }


def _note_in_state(state: DestinationState, item: Finished, moment: datetime) -> None:
    breaker.note_result(state, item.result.judgement, moment, wait=_asked_wait(item, moment))


def _asked_wait(item: Finished, moment: datetime) -> timedelta | None:
    if item.result.judgement.outcome != "retry":
        return None
    exchange = item.result.exchange
    if exchange.reply is not None:
        return schedule.asked_wait(exchange.reply.headers, moment)
    if exchange.fault is not None and exchange.fault.retry_after:
        return schedule.asked_wait({"retry-after": exchange.fault.retry_after}, moment)
    return None


def _still_held(session: Session, finished: Sequence[Finished]) -> set[str]:
    ids = [item.claimed.id for item in finished]
    leases = {row[0]: row[1] for row in session.connection().execute(_LEASES, listed(ids))}
    return {
        item.claimed.id for item in finished if leases.get(item.claimed.id) == item.claimed.lease.id
    }


def _end(item: Finished, moment: datetime) -> _Ending:
    judgement, reply = item.result.judgement, item.result.exchange.reply
    status: str = "dead" if judgement.outcome == "gone" else judgement.outcome
    next_attempt_at = None
    if judgement.outcome == "retry":
        wait = _asked_wait(item, moment)
        next_attempt_at = schedule.next_attempt_at(item.claimed.attempts + 1, moment, wait)
        status = "dead" if next_attempt_at is None else "retrying"
    return _Ending(
        status=status,
        next_attempt_at=next_attempt_at,
        finished_at=None if next_attempt_at else moment,
        response_status=reply.status if reply else None,
        error_class=judgement.error_class,
        last_error=_text(judgement.message),
    )


def _note_issues(
    session: Session, mine: Sequence[Finished], endings: dict[str, _Ending], moment: datetime
) -> dict[str, str]:
    dead = [
        DeadLetter(
            delivery_id=item.claimed.id,
            user_id=item.claimed.user_id,
            destination_id=item.claimed.destination.id,
            error_class=item.result.judgement.error_class or "config",
            message=item.result.judgement.message or "",
        )
        for item in mine
        if endings[item.claimed.id].status == "dead"
    ]
    return note_dead(session, dead, moment) if dead else {}


def _attempt_row(item: Finished, endings: dict[str, _Ending]) -> dict[str, Any]:
    result, exchange = item.result, item.result.exchange
    status = endings[item.claimed.id].status
    return {
        "id": new_id("att"),
        "delivery_id": item.claimed.id,
        "integration_id": item.claimed.integration_id,
        "number": item.claimed.attempts + 1,
        "outcome": "retry" if status == "retrying" else status,
        "request_headers": _json(result.request_headers),
        "request_bytes": len(result.body),
        "response_status": exchange.reply.status if exchange.reply else None,
        "response_headers": _json(
            redact_headers(exchange.reply.headers.items()) if exchange.reply else {}
        ),
        "response_body": exchange.reply.body if exchange.reply else b"",
        "dns_ms": exchange.timings.dns_ms,
        "connect_ms": exchange.timings.connect_ms,
        "tls_ms": exchange.timings.tls_ms,
        "first_byte_ms": exchange.timings.first_byte_ms,
        "total_ms": exchange.timings.total_ms,
        "remote_address": exchange.remote_address,
        "error_class": result.judgement.error_class,
        "error": _text(result.judgement.message),
        "created_at": result.started_at,
    }


def _text(message: str | None) -> str | None:
    """Return a message as every database stores it; one may quote what the other side said."""
    return clean_text(message, _LONGEST_MESSAGE)


def _json(headers: Mapping[str, str]) -> str:
    return orjson.dumps(headers).decode()


def _move_on(
    session: Session,
    mine: Sequence[Finished],
    endings: dict[str, _Ending],
    issue_ids: dict[str, str],
) -> None:
    """Finish all that ended alike in one statement; each retry has a time of its own."""
    alike: defaultdict[_Ending, list[str]] = defaultdict(list)
    retries = []
    for item in mine:
        ending = endings[item.claimed.id]
        if ending.status == "dead":
            ending = ending._replace(issue_id=issue_ids.get(item.claimed.id))
        if ending.next_attempt_at is None:
            alike[ending].append(item.claimed.id)
        else:
            retries.append({"row_id": item.claimed.id, **ending._asdict()})
    for ending, ids in alike.items():
        session.connection().execute(_FINISH, {**ending._asdict(), **listed(ids)})
    if retries:
        session.connection().execute(_PUT_OFF, retries)


def _disable_gone(session: Session, finished: Sequence[Finished], moment: datetime) -> None:
    """Send nothing more to addresses that answered 410; a subscription ends with its routes."""
    gone = {
        item.claimed.destination.id: item
        for item in finished
        if item.result.judgement.outcome == "gone"
    }
    for destination_id, item in sorted(gone.items()):
        session.execute(
            update(Destination)
            .where(col(Destination.id) == destination_id, col(Destination.disabled_at).is_(None))
            .values(disabled_at=moment, disabled_reason=item.result.judgement.message)
        )
        if "subscription" in item.claimed.destination.config_data:
            session.execute(
                update(Route)
                .where(col(Route.destination_id) == destination_id, col(Route.deleted_at).is_(None))
                .values(is_active=False, deleted_at=moment, updated_at=moment)
            )


def _count(session: Session, finished: Sequence[Finished], endings: dict[str, _Ending]) -> None:
    counts = Counter(
        (
            hour_of(item.result.started_at),
            item.claimed.destination.id,
            endings[item.claimed.id].status,
            min(item.claimed.attempts + 1, _LAST_COUNTED_ATTEMPT),
            bucket_of(item.result.exchange.timings.total_ms),
            item.claimed.user_id,
        )
        for item in finished
    )
    names = ("hour", "destination_id", "outcome", "attempt", "bucket", "user_id")
    values = [
        {**dict(zip(names, place, strict=True)), "count": count}
        for place, count in sorted(counts.items())
    ]
    add_counts(session, DeliveryRollup, values)
