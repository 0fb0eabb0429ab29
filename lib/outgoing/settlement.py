"""Writing down what became of attempts, in batches: one transaction for many."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import bindparam, insert, select, update
from sqlmodel import Session, col

from lib.histogram import bucket_of
from lib.ids import new_id
from lib.log import redact_headers
from lib.models import (
    Base,
    DeliveryAttempt,
    DeliveryRollup,
    Destination,
    DestinationState,
)
from lib.outgoing import breaker, schedule
from lib.outgoing.attempt import AttemptResult
from lib.outgoing.claim_statements import DELIVERIES, IDS
from lib.outgoing.claims import Claimed
from lib.outgoing.issues import DeadLetter, note_dead
from lib.rollups import add_counts

_LAST_COUNTED_ATTEMPT = 10

# On the tables themselves: the mapped classes' own way costs several times as much a row.
_ATTEMPT_INSERT = insert(Base.metadata.tables[DeliveryAttempt.__tablename__])
_DELIVERY_UPDATE = update(DELIVERIES).where(DELIVERIES.c.id == bindparam("row_id"))
_LEASES = (
    select(DELIVERIES.c.id, DELIVERIES.c.lease_id)
    .where(DELIVERIES.c.id.in_(IDS))
    .order_by(DELIVERIES.c.id)
    .with_for_update()
)
# In one order everywhere, so that two workers cannot wait for each other's rows.
_LOCK_STATES = (
    select(DestinationState)
    .where(col(DestinationState.destination_id).in_(IDS))
    .order_by(col(DestinationState.destination_id))
    .with_for_update()
)


@dataclass(frozen=True, repr=False)
class Finished:
    """A claimed delivery and how its attempt ended."""

    claimed: Claimed
    result: AttemptResult


@dataclass(frozen=True)
class _Ending:
    """What an attempt's end makes of the delivery."""

    status: str
    next_attempt_at: datetime | None


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
    _record_attempts(session, finished, endings)
    _move_on(session, mine, endings, issue_ids)
    _disable_gone(session, finished, moment)
    _count(session, finished, endings)


def _lock_states(session: Session, ids: set[str]) -> dict[str, DestinationState]:
    return {
        state.destination_id: state
        for state in session.execute(_LOCK_STATES, {"ids": list(ids)}).scalars()
    }


def _note_in_state(state: DestinationState, item: Finished, moment: datetime) -> None:
    reply = item.result.exchange.reply
    wait = schedule.asked_wait(reply.headers, moment) if reply else None
    breaker.note_result(state, item.result.judgement, moment, wait=wait)


def _still_held(session: Session, finished: Sequence[Finished]) -> set[str]:
    ids = [item.claimed.id for item in finished]
    leases = {row[0]: row[1] for row in session.connection().execute(_LEASES, {"ids": ids})}
    return {
        item.claimed.id for item in finished if leases.get(item.claimed.id) == item.claimed.lease.id
    }


def _end(item: Finished, moment: datetime) -> _Ending:
    judgement, reply = item.result.judgement, item.result.exchange.reply
    if judgement.outcome != "retry":
        return _Ending("dead" if judgement.outcome == "gone" else judgement.outcome, None)
    wait = schedule.asked_wait(reply.headers, moment) if reply else None
    next_attempt_at = schedule.next_attempt_at(item.claimed.attempts + 1, moment, wait)
    return _Ending("dead" if next_attempt_at is None else "retrying", next_attempt_at)


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


def _record_attempts(
    session: Session, finished: Sequence[Finished], endings: dict[str, _Ending]
) -> None:
    rows = [_attempt_row(item, endings) for item in finished]
    session.connection().execute(_ATTEMPT_INSERT, rows)


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
        "error": result.judgement.message,
        "created_at": result.started_at,
    }


def _json(headers: Mapping[str, str]) -> str:
    return orjson.dumps(headers).decode()


def _move_on(
    session: Session,
    mine: Sequence[Finished],
    endings: dict[str, _Ending],
    issue_ids: dict[str, str],
) -> None:
    rows = [
        {
            "row_id": item.claimed.id,
            "status": ending.status,
            "attempts": item.claimed.attempts + 1,
            "next_attempt_at": ending.next_attempt_at,
            "lease_id": None,
            "lease_until": None,
            "response_status": reply.status if reply else None,
            "error_class": item.result.judgement.error_class,
            "last_error": item.result.judgement.message,
            "issue_id": issue_ids.get(item.claimed.id),
            "first_attempt_at": item.claimed.first_attempt_at or item.result.started_at,
            "finished_at": None if ending.next_attempt_at else item.result.started_at,
        }
        for item in mine
        for ending, reply in ((endings[item.claimed.id], item.result.exchange.reply),)
    ]
    if rows:
        session.connection().execute(_DELIVERY_UPDATE, rows)


def _disable_gone(session: Session, finished: Sequence[Finished], moment: datetime) -> None:
    gone = {
        item.claimed.destination.id: item.result.judgement.message
        for item in finished
        if item.result.judgement.outcome == "gone"
    }
    for destination_id, reason in sorted(gone.items()):
        session.execute(
            update(Destination)
            .where(col(Destination.id) == destination_id, col(Destination.disabled_at).is_(None))
            .values(disabled_at=moment, disabled_reason=reason)
        )


def _count(session: Session, finished: Sequence[Finished], endings: dict[str, _Ending]) -> None:
    counts = Counter(
        (
            item.result.started_at.replace(minute=0, second=0, microsecond=0),
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
