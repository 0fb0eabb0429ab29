"""The book of backups: made, proven, and made every day by exactly one worker."""

import time
from datetime import timedelta
from pathlib import Path

import pytest

from lib.access import Actor
from lib.backups.book import back_up_now, list_backups, prove_backup
from lib.backups.schedule import Schedule, get_schedule, is_due, run_due, set_schedule
from lib.clock import now, shifted
from lib.errors import HubError, InvalidInput, NotAllowed
from lib.hub import Hub
from tests.factories import make_user
from tests.processes import start_worker


@pytest.fixture
def staff(hub: Hub) -> Actor:
    return make_user(hub, "sam@example.com", "staff")


def test_a_backup_is_proven_by_restoring_it(hub: Hub, staff: Actor, tmp_path: Path) -> None:
    made = back_up_now(hub, staff, tmp_path / "backups")
    assert made.bytes
    assert made.tested_at is None
    assert prove_backup(hub, staff, made.id).users == 1
    (listed,) = list_backups(hub, staff)
    assert listed.tested_at is not None
    assert [each.name for each in (tmp_path / "backups").iterdir()] == [Path(made.path).name]


def test_a_damaged_backup_is_found_out(hub: Hub, staff: Actor, tmp_path: Path) -> None:
    made = back_up_now(hub, staff, tmp_path)
    Path(made.path).write_bytes(b"Dear Ada, " * 500)
    with pytest.raises(HubError):
        prove_backup(hub, staff, made.id)
    (listed,) = list_backups(hub, staff)
    assert listed.error
    assert listed.tested_at is None


def test_the_daily_backup_is_made_once_and_old_ones_go(
    hub: Hub, staff: Actor, tmp_path: Path
) -> None:
    assert not is_due(hub)
    set_schedule(hub, staff, Schedule(True, now().hour, str(tmp_path / "daily"), 1))
    assert not is_due(hub)
    for day in (1, 2):
        with shifted(timedelta(days=day)):
            assert is_due(hub)
            assert run_due(hub)
            assert run_due(hub) is None
            assert not is_due(hub)
    (left,) = list_backups(hub, staff)
    assert left.tested_at
    assert [each.name for each in (tmp_path / "daily").iterdir()] == [Path(left.path).name]


def test_of_two_workers_one_makes_the_backup(hub: Hub, staff: Actor, tmp_path: Path) -> None:
    with shifted(-timedelta(days=1)):
        set_schedule(hub, staff, Schedule(True, now().hour, str(tmp_path / "daily"), 3))
    assert is_due(hub)
    workers = [start_worker(hub.settings), start_worker(hub.settings)]
    try:
        for _ in range(300):
            found = list_backups(hub, staff)
            if found and found[0].tested_at:
                break
            assert all(worker.poll() is None for worker in workers)
            time.sleep(0.1)
    finally:
        for worker in workers:
            worker.terminate()
            worker.wait(20)
    (made,) = list_backups(hub, staff)
    assert made.tested_at
    assert made.error is None
    assert [each.name for each in (tmp_path / "daily").iterdir()] == [Path(made.path).name]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"folder": "backups"}, "folder"),
        ({"folder": "/tmp/../etc"}, "folder"),
        ({"folder": "/proc/none"}, "folder"),
        ({"hour": 24}, "hour"),
        ({"keep": 0}, "keep"),
    ],
)
def test_a_bad_schedule_is_refused(
    hub: Hub, staff: Actor, change: dict[str, object], field: str
) -> None:
    draft = {"is_on": True, "hour": 3, "folder": "/tmp", "keep": 3, **change}
    with pytest.raises(InvalidInput) as refused:
        set_schedule(hub, staff, Schedule(**draft))  # type: ignore[arg-type]
    assert refused.value.field == field
    assert not get_schedule(hub, staff).is_on


@pytest.mark.parametrize("role", ["member", "analyst"])
def test_only_staff_reach_backups(hub: Hub, tmp_path: Path, role: str) -> None:
    eve = make_user(hub, "eve@example.com", role)
    draft = Schedule(False, 3, str(tmp_path), 3)
    for refused in (
        lambda: list_backups(hub, eve),
        lambda: back_up_now(hub, eve, tmp_path),
        lambda: prove_backup(hub, eve, "bak_1"),
        lambda: get_schedule(hub, eve),
        lambda: set_schedule(hub, eve, draft),
    ):
        with pytest.raises(NotAllowed):
            refused()
    assert not list(tmp_path.glob("*.backup"))
