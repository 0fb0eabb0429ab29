"""The backups of the hub as staff see them: made, tested, and made again every day.

Writing and proving are in `lib.backups.files` and `lib.backups.trial`; this keeps the book.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import col, select

from lib import audit
from lib.access import Actor, require_staff
from lib.backups import files
from lib.backups.trial import Proof, try_restore
from lib.clock import now
from lib.errors import HubError, NotFound
from lib.hub import Hub
from lib.ids import new_id
from lib.models import BackupRun

_SHOWN = 50
# No backup takes this long; whoever made it was ended on the way.
_GIVEN_UP_AFTER = timedelta(hours=12)
_LONGEST_ERROR = 500
INTERRUPTED = "It was interrupted. Make another."


@dataclass(frozen=True)
class BackupView:
    """One backup; `error` is why it was not made, or why it does not restore.

    `is_there` tells whether its file still is where it was written.
    """

    id: str
    path: str
    bytes: int | None
    started_at: datetime
    finished_at: datetime | None
    tested_at: datetime | None
    error: str | None
    is_there: bool


def list_backups(hub: Hub, actor: Actor) -> Sequence[BackupView]:
    """Return the last backups, the newest first; staff only."""
    require_staff(actor)
    query = select(BackupRun).order_by(col(BackupRun.started_at).desc()).limit(_SHOWN)
    with hub.database.read() as session:
        return [_view(row) for row in session.exec(query)]


def back_up_now(hub: Hub, actor: Actor, folder: Path) -> BackupView:
    """Write a backup into `folder` and return it; raise HubError with the reason. Staff only."""
    require_staff(actor)
    run_id = make_backup(hub, folder, kind="manual")
    with hub.database.write() as session:
        audit.record(session, actor, "backup.made", run_id)
        return _view(session.get_one(BackupRun, run_id))


def prove_backup(hub: Hub, actor: Actor, backup_id: str) -> Proof:
    """Restore a backup beside the hub, keep the result, and return it. Staff only.

    Raises HubError with what is wrong with the backup; the hub's own database is not touched.
    """
    require_staff(actor)
    with hub.database.write() as session:
        row = session.get(BackupRun, backup_id)
        if row is None or row.finished_at is None:
            raise NotFound("There is no such backup. Choose one of the list.")
        audit.record(session, actor, "backup.tested", backup_id)
        path = Path(row.path)
    return prove_run(hub, backup_id, path)


def make_backup(hub: Hub, folder: Path, *, kind: str) -> str:
    """Write a backup, keep the book of it, and return its run's id; raise HubError."""
    run = BackupRun(id=new_id("bak"), path="", started_at=now())
    path = folder / f"hub-{kind}-{now():%Y%m%dT%H%M%S}-{run.id[-6:]}.backup"
    run.path, run_id = str(path), run.id
    with hub.database.write() as session:
        session.add(run)
    try:
        prepare_folder(folder)
        files.back_up(hub.settings, path)
    except HubError as error:
        _finish(hub, run_id, size=None, error=error.message)
        raise
    except OSError as error:
        sentence = f"{path} could not be written ({error.strerror}). Free some space."
        _finish(hub, run_id, size=None, error=sentence)
        raise HubError(sentence) from error
    _finish(hub, run_id, size=path.stat().st_size, error=None)
    return run_id


def prove_run(hub: Hub, run_id: str, path: Path) -> Proof:
    """Restore the file of a run beside the hub, keep the result, and return it."""
    failure: HubError | None = None
    proof = None
    try:
        proof = try_restore(hub.settings, path)
    except HubError as error:
        failure = error
    with hub.database.write() as session:
        row = session.get_one(BackupRun, run_id)
        row.tested_at = None if failure else now()
        row.error = failure.message[:_LONGEST_ERROR] if failure else None
    if proof is None:
        raise failure or HubError("The backup was not tested. Try again.")
    return proof


def prepare_folder(folder: Path) -> None:
    """Make the folder where it is missing, for the hub's user alone; raise HubError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise HubError(
            f"The folder {folder} cannot be made ({error.strerror}). Name one that the hub's user "
            "may write to."
        ) from error


def missing_program(hub: Hub) -> str | None:
    """Return the sentence about a program that backups need and this machine lacks."""
    if hub.database.is_sqlite:
        return None
    missing = [name for name in ("pg_dump", "pg_restore") if shutil.which(name) is None]
    if not missing:
        return None
    return (
        f"This machine has no {' and no '.join(missing)}, so it can make no backups. Install "
        "PostgreSQL's client programs of the server's version: apt-get install postgresql-client"
    )


def _finish(hub: Hub, run_id: str, *, size: int | None, error: str | None) -> None:
    with hub.database.write() as session:
        row = session.get_one(BackupRun, run_id)
        row.finished_at, row.bytes = now(), size
        row.error = error[:_LONGEST_ERROR] if error else None


def _view(row: BackupRun) -> BackupView:
    is_given_up = row.finished_at is None and row.started_at < now() - _GIVEN_UP_AFTER
    return BackupView(
        id=row.id,
        path=row.path,
        bytes=row.bytes,
        started_at=row.started_at,
        finished_at=row.finished_at,
        tested_at=row.tested_at,
        error=INTERRUPTED if is_given_up else row.error,
        is_there=Path(row.path).is_file(),
    )
