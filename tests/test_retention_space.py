"""Retention on SQLite's own ground: the file shrinks, the index too, and a full disk is no end."""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlmodel import select

from lib.clock import shifted
from lib.database import Database
from lib.errors import HubError
from lib.events.reading import EventFilters, list_events
from lib.hub import Hub, prepare_hub
from lib.models import HubFact, RetentionRun
from lib.retention.rounds import RetentionWork
from lib.retention.space import held_bytes
from tests.conftest import make_settings
from tests.event_factories import make_integration
from tests.factories import make_user
from tests.retention_rows import counts, do_round, fill, make_old_event, with_payload

MB = 1_000_000
_DISK_BYTES = 16 * MB


def _files(hub: Hub) -> tuple[int, int]:
    path = Path(hub.database.url.database or "")
    log = path.with_name("hub.db-wal")
    return path.stat().st_size, log.stat().st_size if log.exists() else 0


def _runs(hub: Hub) -> list[RetentionRun]:
    with hub.database.read() as session:
        return list(session.exec(select(RetentionRun).order_by(RetentionRun.id)))


def _index_bytes(hub: Hub) -> int:
    with hub.database.read() as session:
        query = text("SELECT sum(length(block)) FROM search_index_data")
        return int(session.execute(query).scalar_one())


@pytest.mark.parametrize(("count", "size"), [(3_000, 1_500), (100, 50_000)])
def test_the_file_and_its_log_shrink_when_payloads_go(
    sqlite_hub: Hub, count: int, size: int
) -> None:
    item = make_integration(sqlite_hub, make_user(sqlite_hub))
    fill(sqlite_hub, item, count=count, size=size, days=40)
    before = sum(_files(sqlite_hub))
    do_round(sqlite_hub)
    file_bytes, log_bytes = _files(sqlite_hub)
    assert counts(sqlite_hub)["webhook_events"] == count
    assert before - file_bytes - log_bytes > 0.7 * count * size
    assert log_bytes < 100_000
    (run,) = _runs(sqlite_hub)
    assert run.removed == {"payloads": count}
    # What was in the log alone when the round began is not counted as freed.
    assert 0.7 * count * size < run.bytes_freed <= before


def test_the_file_shrinks_to_almost_nothing_when_events_go(sqlite_hub: Hub) -> None:
    empty = sum(_files(sqlite_hub))
    item = make_integration(sqlite_hub, make_user(sqlite_hub))
    fill(sqlite_hub, item, count=2_000, size=2_000, days=500)
    do_round(sqlite_hub)
    assert sum(_files(sqlite_hub)) < empty + 500_000
    assert set(counts(sqlite_hub).values()) == {0}


def test_the_search_forgets_what_was_removed_and_its_index_shrinks(sqlite_hub: Hub) -> None:
    ada = make_user(sqlite_hub)
    item = make_integration(sqlite_hub, ada)
    for days in (120, 110, 1):
        fill(sqlite_hub, item, count=600, size=100, days=days)
    before = _index_bytes(sqlite_hub)
    do_round(sqlite_hub)
    assert _index_bytes(sqlite_hub) < 0.5 * before
    found = list_events(sqlite_hub, ada, EventFilters(search="common"), limit=200)
    assert len(found.rows) == 200
    with sqlite_hub.database.read() as session:
        query = text("SELECT count(*) FROM search_index WHERE search_index MATCH 'common'")
        assert session.execute(query).scalar_one() == 600


def test_the_search_finds_nothing_of_a_removed_event(sqlite_hub: Hub) -> None:
    ada = make_user(sqlite_hub)
    event_id = make_old_event(sqlite_hub, make_integration(sqlite_hub, ada), 100)
    for search in ("Hopper", "+14155550123", "grace@example.org"):
        assert list_events(sqlite_hub, ada, EventFilters(search=search)).rows
    do_round(sqlite_hub)
    for search in ("Hopper", "+14155550123", "grace@example.org"):
        assert not list_events(sqlite_hub, ada, EventFilters(search=search)).rows
    assert list_events(sqlite_hub, ada, EventFilters(search=event_id)).rows


def test_a_reader_does_not_stop_a_round(sqlite_hub: Hub) -> None:
    item = make_integration(sqlite_hub, make_user(sqlite_hub))
    empty = sum(_files(sqlite_hub))
    fill(sqlite_hub, item, count=500, size=2_000, days=40)
    with sqlite_hub.database.read() as session:
        session.exec(select(HubFact)).all()
        do_round(sqlite_hub)
    assert with_payload(sqlite_hub) == set()
    with shifted(timedelta(hours=2)):
        do_round(sqlite_hub)
    assert sum(_files(sqlite_hub)) - empty < MB


def test_others_write_while_a_round_runs(sqlite_hub: Hub) -> None:
    item = make_integration(sqlite_hub, make_user(sqlite_hub))
    fill(sqlite_hub, item, count=3_000, size=2_000, days=500)
    rounds = threading.Thread(target=RetentionWork(sqlite_hub).run_now)
    rounds.start()
    longest, written = 0.0, 0
    while rounds.is_alive():
        started = time.monotonic()
        with sqlite_hub.database.write() as session:
            session.merge(HubFact(name="pulse", value=str(written)))
        longest, written = max(longest, time.monotonic() - started), written + 1
        time.sleep(0.005)
    rounds.join()
    assert written > 10
    assert longest < 2.0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | None]:
    """A file system of 16 MB of its own, or None for a user who may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        yield None
        return
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def _opened(template: Path, folder: Path) -> Iterator[Hub]:
    url = f"sqlite:///{shutil.copy(template, folder / 'hub.db')}"
    with closing(prepare_hub(make_settings(url, folder))) as hub:
        yield hub


def _limit_pages(database: Database) -> None:
    """Let no connection grow the file by more than one page."""
    with database.read() as session:
        pages = session.execute(text("PRAGMA page_count")).scalar_one()

    @event.listens_for(database.engine, "connect")
    def _connected(connection: object, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages + 1}")  # type: ignore[attr-defined]

    database.engine.dispose()


def test_a_round_frees_space_when_the_database_may_not_grow(
    sqlite_template: Path, tmp_path: Path
) -> None:
    with _opened(sqlite_template, tmp_path) as hub:
        item = make_integration(hub, make_user(hub))
        for days in (500, 120, 40):
            fill(hub, item, count=400, size=2_000, days=days)
        _limit_pages(hub.database)
        before = held_bytes(hub.database)
        do_round(hub)
        with shifted(timedelta(hours=2)):
            do_round(hub)
        assert before - held_bytes(hub.database) > 2 * MB
        assert with_payload(hub) == set()
        assert counts(hub)["search_documents"] == 400
        assert counts(hub)["webhook_events"] == 800


def test_a_round_frees_space_on_a_disk_that_is_99_percent_full(
    sqlite_template: Path, tmp_path: Path, small_disk: Path | None
) -> None:
    with _opened(sqlite_template, small_disk or tmp_path) as hub:
        item = make_integration(hub, make_user(hub))
        for days in (500, 120, 40):
            fill(hub, item, count=300, size=4_000, days=days)
        hub.database.engine.dispose()
        before = held_bytes(hub.database)
        if small_disk is None:
            _limit_pages(hub.database)
        else:
            _take_all_but(small_disk, _DISK_BYTES // 100)
        do_round(hub)
        assert before - held_bytes(hub.database) > 2 * MB
        assert with_payload(hub) == set()
        assert counts(hub)["webhook_events"] == 600
        assert _runs(hub)[0].bytes_freed > 2 * MB
        with shifted(timedelta(hours=2)):
            do_round(hub)
        assert counts(hub)["search_documents"] == 300


def test_a_disk_without_any_room_is_said_in_words_and_survived(
    sqlite_template: Path, tmp_path: Path, small_disk: Path | None
) -> None:
    with _opened(sqlite_template, small_disk or tmp_path) as hub:
        fill(hub, make_integration(hub, make_user(hub)), count=300, size=4_000, days=40)
        hub.database.engine.dispose()
        work = RetentionWork(hub)
        if small_disk is None:
            _limit_pages(hub.database)
            work.run_now()
        else:
            _take_all_but(small_disk, 40_000)
            with pytest.raises(HubError, match="too full"):
                work.run_now()
            assert len(with_payload(hub)) == 300
            (small_disk / "ballast").unlink()
            with shifted(timedelta(minutes=2)):
                work.run_now()
        assert with_payload(hub) == set()


def _take_all_but(disk: Path, left: int) -> None:
    """Fill the disk until only `left` bytes are free."""
    space = os.statvfs(disk)
    free = space.f_bavail * space.f_frsize
    (disk / "ballast").write_bytes(bytes(free - left))
