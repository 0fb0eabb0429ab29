"""The daily backup: when it is due, who makes it, and how many are kept.

The worker asks `is_due` and starts `python -m lib.cli backup-due` as a process of its own:
copying takes long, and proving a backup loads what the worker does not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlmodel import Session, col, select

from lib import audit, hub_settings
from lib.access import Actor, require_staff
from lib.clock import now
from lib.errors import HubError, InvalidInput
from lib.hub import Hub
from lib.models import BackupRun

log = structlog.get_logger()

NAME = "backup_schedule"
_TAKEN = "backup_taken"
LAST_HOUR, MOST_KEPT = 23, 365
_LONGEST_PATH = 500


@dataclass(frozen=True)
class Schedule:
    """When backups are made: at `hour` UTC every day, of which the newest `keep` stay."""

    is_on: bool
    hour: int
    folder: str
    keep: int


def get_schedule(hub: Hub, actor: Actor) -> Schedule:
    """Return the schedule, off until staff turn it on; staff only."""
    require_staff(actor)
    with hub.database.read() as session:
        return _schedule(hub, session)


def set_schedule(hub: Hub, actor: Actor, draft: Schedule) -> Schedule:
    """Store the schedule and return it; raise InvalidInput naming the field. Staff only.

    The first backup is made at the next time of it, not at once.
    """
    require_staff(actor)
    _check(draft)
    kept = Schedule(draft.is_on, draft.hour, str(Path(draft.folder.strip())), draft.keep)
    with hub.database.write() as session:
        changes = audit.difference(vars(_schedule(hub, session)), vars(kept))
        hub_settings.keep_value(session, NAME, vars(kept), actor=actor)
        taken = {"due_at": _last_due(kept.hour).isoformat()}
        hub_settings.keep_value(session, _TAKEN, taken, actor=None)
        audit.record(session, actor, "backup.schedule_set", NAME, changes=changes)
    return kept


def next_due(schedule: Schedule) -> datetime | None:
    """Return when the next backup is made, None while the schedule is off."""
    return _last_due(schedule.hour) + timedelta(days=1) if schedule.is_on else None


def is_due(hub: Hub) -> bool:
    """Say whether a backup should be made now that nobody has begun."""
    with hub.database.read() as session:
        schedule = _schedule(hub, session)
        taken = hub_settings.find_value(session, _TAKEN)
    return schedule.is_on and not _is_taken(taken, _last_due(schedule.hour))


def run_due(hub: Hub) -> str | None:
    """Make and prove the backup that is due, and remove old ones; return its run's id.

    None when none is due: of several callers exactly one makes it. A failure stays in the book
    of backups, and is raised.
    """
    schedule = _take(hub)
    if schedule is None:
        return None
    # Here, for the worker imports this module and may not load what proves a backup.
    from lib.backups.book import make_backup, prove_run

    run_id = make_backup(hub, Path(schedule.folder), kind="daily")
    with hub.database.read() as session:
        path = Path(session.get_one(BackupRun, run_id).path)
    prove_run(hub, run_id, path)
    _remove_old(hub, schedule.keep)
    return run_id


def _take(hub: Hub) -> Schedule | None:
    """Note that this caller makes the backup, unless another was first."""
    with hub.database.write() as session:
        taken = hub_settings.lock_value(session, _TAKEN)
        schedule = _schedule(hub, session)
        due_at = _last_due(schedule.hour)
        if not schedule.is_on or _is_taken(taken, due_at):
            return None
        hub_settings.keep_value(session, _TAKEN, {"due_at": due_at.isoformat()}, actor=None)
    return schedule


def _is_taken(taken: Mapping[str, Any] | None, due_at: datetime) -> bool:
    # The time is noted whenever a schedule is set, so it is missing only where there is none.
    return taken is None or datetime.fromisoformat(taken["due_at"]) >= due_at


def _remove_old(hub: Hub, keep: int) -> None:
    """Remove the files and the lines of daily backups beyond the newest `keep` good ones."""
    query = (
        select(BackupRun)
        .where(col(BackupRun.path).contains("hub-daily-"))
        .where(col(BackupRun.error).is_(None), col(BackupRun.finished_at).is_not(None))
        .order_by(col(BackupRun.started_at).desc())
        .offset(keep)
    )
    with hub.database.write() as session:
        for row in session.exec(query).all():
            try:
                Path(row.path).unlink(missing_ok=True)
            except OSError as error:
                log.warning("backup_not_removed", why=error.strerror)
                continue
            session.delete(row)


def _schedule(hub: Hub, session: Session) -> Schedule:
    value = hub_settings.find_value(session, NAME)
    if value is None:
        return Schedule(False, 3, str((hub.settings.key_file.parent / "backups").resolve()), 14)
    return Schedule(value["is_on"], value["hour"], value["folder"], value["keep"])


def _last_due(hour: int) -> datetime:
    moment = now()
    today = moment.replace(hour=hour, minute=0, second=0, microsecond=0)
    return today if today <= moment else today - timedelta(days=1)


def _check(draft: Schedule) -> None:
    folder = draft.folder.strip()
    if not folder.startswith("/") or len(folder) > _LONGEST_PATH or ".." in Path(folder).parts:
        raise InvalidInput(
            "Enter the folder in full, such as /var/backups/hub, on the machine of the worker.",
            field="folder",
        )
    if not 0 <= draft.hour <= LAST_HOUR:
        raise InvalidInput("Choose an hour from 0 to 23.", field="hour")
    if not 1 <= draft.keep <= MOST_KEPT:
        raise InvalidInput(f"Keep 1 to {MOST_KEPT} backups.", field="keep")
    if draft.is_on:
        _check_writable(Path(folder))


def _check_writable(folder: Path) -> None:
    from lib.backups.book import prepare_folder

    try:
        prepare_folder(folder)
        probe = folder / ".hub-probe"
        probe.touch(mode=0o600)
        probe.unlink()
    except HubError as error:
        raise InvalidInput(error.message, field="folder") from error
    except OSError as error:
        raise InvalidInput(
            f"The hub's user may not write to {folder} ({error.strerror}). Choose another folder.",
            field="folder",
        ) from error
