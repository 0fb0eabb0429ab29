"""The chain of the audit log: made once by many workers, and what was tampered with shows."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from lib import audit
from lib.access import Actor
from lib.audit_chain import HEAD_FACT, Head, chain_new, verify_chain
from lib.errors import NotAllowed
from lib.hub import Hub
from lib.models import AuditEntry, HubFact
from tests.factories import make_user

ENTRIES = 12


@pytest.fixture
def staff(hub: Hub) -> Actor:
    return make_user(hub, "sam@example.com", "staff")


def write(hub: Hub, actor: Actor, count: int = ENTRIES) -> None:
    with hub.database.write() as session:
        for number in range(count):
            audit.record(session, actor, "thing.done", f"obj_{number}", name="Zoë")


def chain_all(hub: Hub) -> None:
    while chain_new(hub):
        pass


def test_entries_are_numbered_without_gaps_and_verified(hub: Hub, staff: Actor) -> None:
    write(hub, staff, 501)
    before = verify_chain(hub, staff)
    assert (before.checked, before.unchained, before.trouble) == (0, 501, None)
    assert chain_new(hub) == 500
    assert chain_new(hub) == 1
    assert chain_new(hub) == 0
    report = verify_chain(hub, staff)
    assert (report.checked, report.unchained, report.trouble) == (501, 0, None)
    assert report.head.sequence == 501
    with hub.database.read() as session:
        last = session.exec(select(AuditEntry).where(AuditEntry.sequence == 501)).one()
    assert last.digest == report.head.digest


def test_two_workers_at_once_make_one_chain(hub: Hub, staff: Actor) -> None:
    write(hub, staff, 700)

    def work(_: int) -> int:
        done = sum(chain_new(hub) for _ in range(6))
        write(hub, staff, 20)
        return done

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    chain_all(hub)
    report = verify_chain(hub, staff)
    assert (report.checked, report.unchained, report.trouble) == (780, 0, None)


def change(values: dict[str, object]) -> Callable[[Session], object]:
    return lambda session: session.execute(
        update(AuditEntry).where(col(AuditEntry.sequence) == 5).values(**values)
    )


@pytest.mark.parametrize(
    "values",
    [
        {"actor": "someone@example.com"},
        {"action": "thing.undone"},
        {"object_id": "obj_x"},
        {"details": {"name": "Zoe"}},
        {"ip": "203.0.113.9"},
        {"role": "member"},
        {"session_id": "ses_x"},
        {"user_id": None},
        {"digest": "0" * 64},
    ],
)
def test_a_changed_entry_shows(hub: Hub, staff: Actor, values: dict[str, object]) -> None:
    write(hub, staff)
    chain_all(hub)
    with hub.database.write() as session:
        change(values)(session)
    report = verify_chain(hub, staff)
    assert report.checked == 4
    assert report.trouble == "Entry number 5 is not what was written."


def test_a_deleted_entry_shows(hub: Hub, staff: Actor) -> None:
    write(hub, staff)
    chain_all(hub)
    with hub.database.write() as session:
        session.execute(delete(AuditEntry).where(col(AuditEntry.sequence) == 5))
    assert verify_chain(hub, staff).trouble == "Entry number 5 is missing."


def test_an_end_that_was_cut_off_shows_even_after_more_was_written(hub: Hub, staff: Actor) -> None:
    write(hub, staff)
    chain_all(hub)
    with hub.database.write() as session:
        session.execute(delete(AuditEntry).where(col(AuditEntry.sequence) > 10))
    assert verify_chain(hub, staff).trouble == (
        "The log ends at number 10, but number 12 was written."
    )
    write(hub, staff, 3)
    chain_all(hub)
    assert verify_chain(hub, staff).trouble == "Entry number 11 is missing."


def test_an_inserted_entry_shows(hub: Hub, staff: Actor) -> None:
    write(hub, staff)
    chain_all(hub)
    with hub.database.write() as session:
        audit.record(session, staff, "thing.forged", "obj_x")
        session.flush()
        forged = session.exec(select(AuditEntry).where(AuditEntry.action == "thing.forged")).one()
        forged.sequence, forged.digest = ENTRIES + 1, "f" * 64
    assert verify_chain(hub, staff).trouble == "Entry number 13 is not what was written."
    write(hub, staff, 1)
    chain_all(hub)
    assert verify_chain(hub, staff).checked == ENTRIES


def test_the_head_outlives_a_lost_fact(hub: Hub, staff: Actor) -> None:
    write(hub, staff)
    chain_all(hub)
    with hub.database.write() as session:
        session.execute(delete(HubFact).where(col(HubFact.name) == HEAD_FACT))
    write(hub, staff, 2)
    chain_all(hub)
    assert verify_chain(hub, staff).checked == ENTRIES + 2


def test_an_empty_log_is_whole(hub: Hub, staff: Actor) -> None:
    report = verify_chain(hub, staff)
    assert (report.checked, report.head, report.trouble) == (0, Head(), None)


@pytest.mark.parametrize("role", ["member", "analyst"])
def test_only_staff_verify(sqlite_hub: Hub, role: str) -> None:
    with pytest.raises(NotAllowed):
        verify_chain(sqlite_hub, make_user(sqlite_hub, role=role))
