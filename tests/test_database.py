"""Connections as the hub needs them, and transactions that do not fail half-way."""

import threading

import pytest
from sqlalchemy import text
from sqlmodel import select

from lib.hub import Hub
from lib.models import HubFact

PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": 2,  # FULL
    "auto_vacuum": 2,  # INCREMENTAL
    "foreign_keys": 1,
    "busy_timeout": 5000,
}


@pytest.mark.parametrize(("name", "value"), PRAGMAS.items())
def test_a_pooled_connection_has_the_pragmas(sqlite_hub: Hub, name: str, value: str | int) -> None:
    for _ in range(2):
        with sqlite_hub.database.engine.connect() as connection:
            assert connection.exec_driver_sql(f"PRAGMA {name}").scalar() == value


def test_a_statement_on_postgresql_starts_no_helpers(postgresql_hub: Hub) -> None:
    for name, value in (("max_parallel_workers_per_gather", "0"), ("jit", "off")):
        for _ in range(2):
            # A rolled back transaction must not take the setting with it.
            with postgresql_hub.database.read() as session:
                assert session.execute(text(f"SHOW {name}")).scalar() == value


def test_a_write_is_kept_and_a_failed_one_is_not(hub: Hub) -> None:
    with hub.database.write() as session:
        session.add(HubFact(name="kept", value="1"))
    with pytest.raises(ZeroDivisionError):
        _write_and_fail(hub)
    with hub.database.read() as session:
        assert session.get(HubFact, "kept")
        assert session.get(HubFact, "lost") is None


def _write_and_fail(hub: Hub) -> None:
    with hub.database.write() as session:
        session.add(HubFact(name="lost", value="1"))
        session.flush()
        raise ZeroDivisionError


def test_a_read_changes_nothing(hub: Hub) -> None:
    with hub.database.read() as session:
        session.add(HubFact(name="lost", value="1"))
        session.flush()
    with hub.database.read() as session:
        assert session.get(HubFact, "lost") is None


def test_transactions_that_read_before_they_write_wait_for_each_other(sqlite_hub: Hub) -> None:
    with sqlite_hub.database.write() as session:
        session.add(HubFact(name="count", value="0"))

    def add_ten() -> None:
        for _ in range(10):
            with sqlite_hub.database.write() as session:
                fact = session.exec(select(HubFact).where(HubFact.name == "count")).one()
                fact.value = str(int(fact.value) + 1)

    threads = [threading.Thread(target=add_ten) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with sqlite_hub.database.read() as session:
        assert session.get_one(HubFact, "count").value == "40"


def test_foreign_keys_hold(hub: Hub) -> None:
    statement = text(
        "INSERT INTO event_keys (event_id, kind, value) VALUES ('evt_none', 'phone', '1')"
    )
    with pytest.raises(Exception, match=r"(?i)foreign key"), hub.database.write() as session:
        session.execute(statement)
