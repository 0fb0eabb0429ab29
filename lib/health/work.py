"""The work under way: workers, what waits, leases, retention and backups."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import func, literal
from sqlmodel import Session, col, select

from lib.clock import now
from lib.database import Database
from lib.health.readings import Reading, graded
from lib.models import BackupRun, Delivery, RetentionRun, WebhookEvent, WorkerHeartbeat
from lib.overview import WORKER_STALE
from lib.quantities import duration

_GROUP = "Work"
# Further rows are not counted: a queue of a million must not be read at each look.
MOST_COUNTED = 10_000
_OLD_SECONDS, _ANCIENT_SECONDS = 60.0, 900.0
_ROUND_WARN, _ROUND_BAD = timedelta(hours=3), timedelta(hours=24)
_LEASE_GRACE = timedelta(minutes=2)
_CLOCK_SLACK = timedelta(seconds=5)


def read_work(database: Database) -> Iterator[Reading]:
    """Yield the readings of what the workers do; raises DBAPIError while the database is away."""
    with database.read() as session:
        yield _read_workers(session)
        yield _read_pending(session)
        yield _read_due(session)
        yield _read_leases(session)
        yield _read_retention(session)
        yield _read_backups(session)


def _read_workers(session: Session) -> Reading:
    moment = now()
    fresh = session.exec(
        select(WorkerHeartbeat)
        .where(col(WorkerHeartbeat.beat_at) > moment - WORKER_STALE)
        .order_by(col(WorkerHeartbeat.beat_at).desc())
    ).all()
    if not fresh:
        step = "Start `python -m lib.worker`. Events are received and kept meanwhile, but wait."
        return Reading(_GROUP, "Workers", "bad", "no sign of life in 30 seconds", step)
    hosts = ", ".join(sorted({row.host for row in fresh}))
    text = f"{len(fresh)} alive, on {hosts}"
    if fresh[0].beat_at > moment + _CLOCK_SLACK:
        ahead = (fresh[0].beat_at - moment).total_seconds()
        step = "Set the clocks of both machines by NTP: signatures and leases go by them."
        return Reading(_GROUP, "Workers", "warn", f"{text}; its clock is {ahead:.0f} s ahead", step)
    return Reading(_GROUP, "Workers", "ok", text)


def _read_pending(session: Session) -> Reading:
    # Written into the statement, or it would not match the partial index on SQLite.
    waiting = (
        select(col(WebhookEvent.created_at))
        .where(col(WebhookEvent.status) == literal("pending", literal_execute=True))
        .limit(MOST_COUNTED)
        .subquery()
    )
    count, oldest = session.exec(
        select(func.count(), func.min(waiting.c.created_at)).select_from(waiting)
    ).one()
    age = _age(oldest) if oldest else 0.0
    state = graded(age, warn=_OLD_SECONDS, bad=_ANCIENT_SECONDS)
    text = f"{_capped(count)}, oldest {duration(age)}" if count else "none wait"
    step = "Look whether a worker is alive; start one more if it cannot keep up."
    return Reading(_GROUP, "Pending events", state, text, "" if state == "ok" else step)


def _read_due(session: Session) -> Reading:
    due = (
        select(col(Delivery.next_attempt_at))
        .where(col(Delivery.next_attempt_at).is_not(None), col(Delivery.next_attempt_at) <= now())
        .limit(MOST_COUNTED)
        .subquery()
    )
    count, oldest = session.exec(
        select(func.count(), func.min(due.c.next_attempt_at)).select_from(due)
    ).one()
    late = _age(oldest) if oldest else 0.0
    text = f"{_capped(count)}, the first due {duration(late)} ago" if count else "none are due"
    # Deliveries of paused destinations, and behind a breaker or a limit, wait on purpose.
    is_late = late >= _ANCIENT_SECONDS
    step = "Look under Webhooks which destination is paused, over its limit or does not answer."
    return Reading(_GROUP, "Due deliveries", "warn" if is_late else "ok", text, step * is_late)


def _read_leases(session: Session) -> Reading:
    held = col(Delivery.lease_until).is_not(None)
    running = select(func.count()).select_from(Delivery).where(held)
    count = session.exec(running).one()
    stale = session.exec(running.where(col(Delivery.lease_until) < now() - _LEASE_GRACE)).one()
    if not stale:
        return Reading(_GROUP, "Leases", "ok", f"{count:,} under way, none expired")
    step = "A worker takes expired ones back within seconds. Look whether one is alive."
    return Reading(_GROUP, "Leases", "warn", f"{stale:,} of {count:,} expired", step)


def _read_retention(session: Session) -> Reading:
    last = session.exec(select(func.max(col(RetentionRun.finished_at)))).one()
    if last is None:
        return Reading(_GROUP, "Retention", "ok", "no round has ended yet")
    age = _age(last)
    state = graded(age, warn=_ROUND_WARN.total_seconds(), bad=_ROUND_BAD.total_seconds())
    step = "A worker does one an hour. Run `python -m lib.cli retention` to see what stops it."
    text = f"the last round ended {duration(age)} ago"
    return Reading(_GROUP, "Retention", state, text, "" if state == "ok" else step)


def _read_backups(session: Session) -> Reading:
    last = session.exec(select(BackupRun).order_by(col(BackupRun.started_at).desc())).first()
    if last is None:
        step = "Make one under Backups, and turn the daily one on."
        return Reading(_GROUP, "Backups", "warn", "none was made yet", step)
    age = duration(_age(last.started_at))
    if last.error:
        return Reading(_GROUP, "Backups", "bad", f"the last one failed {age} ago", last.error)
    if last.tested_at is None:
        step = "Test under Backups whether it can be restored."
        return Reading(_GROUP, "Backups", "warn", f"the last is {age} old, never tested", step)
    return Reading(_GROUP, "Backups", "ok", f"the last is {age} old and can be restored")


def _capped(count: int) -> str:
    return f"{count:,}{' or more' if count >= MOST_COUNTED else ''}"


def _age(moment: datetime) -> float:
    """Return the seconds since a moment, none where another machine's clock is ahead."""
    return max(0.0, (now() - moment).total_seconds())
