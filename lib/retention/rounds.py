"""The work of retention, one small batch at a time, by one worker at a time.

A round sweeps every integration, then gives the space back: on SQLite the text index is
merged, free pages are cut off the file and the log is cut.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, func
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, col, select

from lib.clock import now
from lib.errors import HubError
from lib.hub import Hub
from lib.ids import new_id
from lib.models import IntegrationConfig, RetentionRun, SearchDocument
from lib.retention import space
from lib.retention.ages import effective_ages, oldest_kept
from lib.retention.hub_ages import hub_ages
from lib.retention.round_state import Round, begin_round, find_round, keep_round, lock_round
from lib.retention.row_sweeps import SWEEPS
from lib.retention.swept import Owner, Swept

log = structlog.get_logger()

LARGEST_BATCH = 500
# Others write between two batches; SQLite has one writer at a time.
PAUSE_SECONDS = 0.02
_LOOK_EVERY = timedelta(minutes=1)
_SWEEPS = tuple(SWEEPS)
# Sweeps without anything to remove are cheap, and yet a transaction ends some time.
_MOST_SWEEPS = 60
# Merging rewrites the whole text index, so it waits until a tenth of it is stale.
_STALE_SHARE = 10


class RetentionWork:
    """One worker's part in retention; `step` may be called from any one thread at a time."""

    def __init__(self, hub: Hub, *, batch: int = LARGEST_BATCH) -> None:
        self._hub = hub
        self._largest = self._batch = batch
        self._holder = new_id("ret")
        self._look_again_at: datetime | None = None
        self._is_asked_for = False
        self._inside: Mapping[str, Callable[[Session, Round], None]] = {
            "sweep": self._sweep,
            "merge": self._merge,
            "merging": self._merge,
        }
        # SQLite does these outside of transactions.
        self._outside: Mapping[str, Callable[[Round], None]] = {
            "open": self._open,
            "vacuum": self._vacuum,
            "close": self._close,
        }

    def step(self) -> bool:
        """Do one small batch; say whether more is due now.

        Wait PAUSE_SECONDS before the next call after True. After False a call costs nothing
        for a minute. Raises DBAPIError when the database is away; a full disk it sees to itself.
        """
        if self._look_again_at is not None and now() < self._look_again_at:
            return False
        try:
            has_more = self._advance()
            self._batch = min(self._largest, self._batch * 2)
        except OperationalError as error:
            if not space.is_full(error):
                raise
            has_more = self._find_room()
        self._look_again_at = None if has_more else now() + _LOOK_EVERY
        return has_more

    def run_now(self) -> RetentionRun:
        """Do one full round, due or not, and return its record.

        Raises HubError while a worker is busy with one, or when the disk leaves no room for it.
        """
        begun_at = now()
        with self._hub.database.read() as session:
            if find_round(session).is_held_by_another(self._holder):
                raise HubError("A worker is busy with retention. Try again in a minute.")
        self._look_again_at, self._is_asked_for = None, True
        while self.step():
            time.sleep(PAUSE_SECONDS)
        self._is_asked_for = False
        with self._hub.database.read() as session:
            query = select(RetentionRun).order_by(col(RetentionRun.id).desc())
            done = session.exec(query).first()
        if done is None or done.finished_at < begun_at:
            raise HubError("The disk is too full to remove anything. Free some space first.")
        return done

    def _advance(self) -> bool:
        with self._hub.database.write() as session:
            current = lock_round(session)
            if current.is_held_by_another(self._holder):
                return False
            if not current.is_running:
                if not (self._is_asked_for or current.is_due()):
                    return False
                current, self._is_asked_for = begin_round(current), False
            stage = current.stage
            if stage in self._inside:
                self._inside[stage](session, current)
            keep_round(session, current, self._holder)
        if stage in self._outside:
            self._outside[stage](current)
        return current.is_running

    def _open(self, current: Round) -> None:
        if self._hub.database.is_sqlite:
            # Else the log of what was received before would count as freed.
            space.checkpoint(self._hub.database)
        current.bytes_before = space.held_bytes(self._hub.database)
        self._go_on(current, "sweep")

    def _sweep(self, session: Session, current: Round) -> None:
        rows, owner = 0, _next_owner(session, current)
        for _ in range(_MOST_SWEEPS):
            if owner is None:
                current.stage = "merge" if self._hub.database.is_sqlite else "close"
                return
            name = current.sweep or _SWEEPS[0]
            swept = SWEEPS[name](session, owner, current.after, self._batch - rows)
            rows += swept.rows
            _count(current, swept)
            if swept.after is not None:
                current.sweep, current.after = name, swept.after
                return
            if _pass_sweep(current, owner):
                owner = _next_owner(session, current)
            if rows >= self._batch:
                return

    def _merge(self, session: Session, current: Round) -> None:
        is_first = current.stage == "merge"
        if is_first and not _is_stale(session, current):
            current.stage = "vacuum"
        elif space.merge_step(session, is_first=is_first, share=self._share()):
            current.stage = "merging"
        else:
            current.stage, current.stale_documents = "vacuum", 0

    def _vacuum(self, current: Round) -> None:
        if not space.vacuum_step(self._hub.database, share=self._share()):
            self._go_on(current, "close")

    def _close(self, current: Round) -> None:
        freed = current.bytes_removed
        if self._hub.database.is_sqlite:
            space.checkpoint(self._hub.database)
            freed = max(0, current.bytes_before - space.held_bytes(self._hub.database))
        removed = {name: count for name, count in current.removed.items() if count}
        run = RetentionRun(
            id=new_id("run"),
            removed=removed,
            bytes_freed=freed,
            started_at=datetime.fromisoformat(current.started_at),
            finished_at=now(),
        )
        with self._hub.database.write() as session:
            session.add(run)
            too_old = col(RetentionRun.finished_at) < oldest_kept(hub_ages(session).event_days)
            session.execute(delete(RetentionRun).where(too_old))
            current.stage = ""
            keep_round(session, current, self._holder)
        log.info("retention_done", bytes_freed=freed, **removed)

    def _go_on(self, current: Round, stage: str) -> None:
        current.stage = stage
        with self._hub.database.write() as session:
            keep_round(session, current, self._holder)

    def _share(self) -> float:
        return self._batch / self._largest

    def _find_room(self) -> bool:
        """Make room after a write that found none, and ask less of the next one."""
        if self._hub.database.is_sqlite:
            space.make_room(self._hub.database)
        if self._batch > 1:
            self._batch //= 2
            return True
        log.warning("no_room_for_retention")
        try:
            with self._hub.database.write() as session:
                current = lock_round(session)
                return self._pass_by(session, current)
        except OperationalError as error:
            if not space.is_full(error):
                raise
            return False

    def _pass_by(self, session: Session, current: Round) -> bool:
        """Leave what there is no room for to the next round; say whether this one goes on."""
        if current.is_held_by_another(self._holder) or not current.is_running:
            return False
        following = {"open": "sweep", "merge": "vacuum", "merging": "vacuum", "vacuum": "close"}
        owner = _next_owner(session, current) if current.stage == "sweep" else None
        if owner is not None:
            _pass_sweep(current, owner)
        elif current.stage in following:
            current.stage = following[current.stage]
        else:
            return False
        keep_round(session, current, self._holder)
        return True


def _next_owner(session: Session, current: Round) -> Owner | None:
    query = (
        select(IntegrationConfig.id, IntegrationConfig.user_id, IntegrationConfig.retention)
        .where(col(IntegrationConfig.id) > current.done_owner)
        .order_by(col(IntegrationConfig.id))
        .limit(1)
    )
    found = session.exec(query).first()
    if found is None:
        return None
    return Owner(found[0], found[1], effective_ages(found[2], hub_ages(session)))


def _pass_sweep(current: Round, owner: Owner) -> bool:
    """Go on to the next sweep of this owner, or say that it was the last."""
    following = _SWEEPS.index(current.sweep or _SWEEPS[0]) + 1
    is_last = following == len(_SWEEPS)
    current.sweep, current.after = "" if is_last else _SWEEPS[following], ""
    current.done_owner = owner.id if is_last else current.done_owner
    return is_last


def _count(current: Round, swept: Swept) -> None:
    current.removed = dict(Counter(current.removed) + Counter(swept.removed))
    current.bytes_removed += swept.bytes
    current.stale_documents += swept.removed.get("documents", 0)


def _is_stale(session: Session, current: Round) -> bool:
    number = col(SearchDocument.id)
    first, last = session.exec(select(func.min(number), func.max(number))).one()
    # Numbers go up and the lowest are removed first, so their distance is about the count.
    kept = last - first + 1 if first and last else 0
    return current.stale_documents * _STALE_SHARE > kept
