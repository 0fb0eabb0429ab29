"""The audit log: where an action came from, and reading it."""

import csv
import json
from datetime import timedelta

import pytest

from lib import audit
from lib.access import Actor
from lib.audit_reading import AuditFilters, list_entries
from lib.clock import now
from lib.errors import NotAllowed
from lib.hub import Hub
from lib.lists.exports import export_audit
from lib.people.sessions import actor_of_session, start_session
from tests.factories import make_user


@pytest.fixture
def sam(hub: Hub) -> Actor:
    return make_user(hub, "sam@example.com", "staff")


def note(hub: Hub, actor: Actor | None, *actions: str, object_id: str = "int_1") -> None:
    with hub.database.write() as session:
        for action in actions:
            audit.record(session, actor, action, object_id, name="Täst", count="1")


def test_an_entry_tells_role_session_and_address(hub: Hub, sam: Actor) -> None:
    session_id = start_session(hub, sam, ip="203.0.113.7", user_agent="")[0]
    note(hub, actor_of_session(hub, session_id), "integration.updated")
    (row,) = list_entries(hub, sam, AuditFilters()).rows
    assert (row.role, row.ip, row.session_id) == ("staff", "203.0.113.7", session_id)


def test_the_list_is_filtered_and_paged(hub: Hub, sam: Actor) -> None:
    ada = make_user(hub)
    note(hub, ada, "integration.added", "integration.removed", "integrations_not.this")
    note(hub, sam, "user.renamed", object_id=ada.id)
    assert len(list_entries(hub, sam, AuditFilters()).rows) == 4
    found = list_entries(hub, sam, AuditFilters(subject="integration")).rows
    assert [row.action for row in found] == ["integration.removed", "integration.added"]
    assert len(list_entries(hub, sam, AuditFilters(user_id=ada.id)).rows) == 3
    assert len(list_entries(hub, sam, AuditFilters(object_id=f" {ada.id} ")).rows) == 1
    ahead = now() + timedelta(minutes=1)
    assert not list_entries(hub, sam, AuditFilters(since=ahead)).rows
    assert len(list_entries(hub, sam, AuditFilters(until=ahead)).rows) == 4
    first = list_entries(hub, sam, AuditFilters(), limit=3)
    second = list_entries(hub, sam, AuditFilters(), cursor=first.next_cursor, limit=3)
    assert len(first.rows) == 3
    assert len(second.rows) == 1
    assert second.next_cursor is None


def test_an_export_is_itself_on_record(hub: Hub, sam: Actor) -> None:
    note(hub, sam, "user.renamed", "user.renamed")
    text = "".join(export_audit(hub, sam, AuditFilters(subject="user"), "jsonl"))
    assert [json.loads(line)["action"] for line in text.splitlines()] == ["user.renamed"] * 2
    (newest, *_) = list_entries(hub, sam, AuditFilters()).rows
    assert newest.action == "audit.exported"
    assert newest.details == {"format": "jsonl", "subject": "user"}


def test_an_export_has_every_entry_and_its_changes_as_one_cell(hub: Hub, sam: Actor) -> None:
    with hub.database.write() as session:
        for number in range(205):
            changes = audit.difference({"name": "a"}, {"name": str(number)})
            audit.record(session, sam, "integration.updated", "int_1", changes=changes)
    rows = list(csv.DictReader("".join(export_audit(hub, sam, AuditFilters(), "csv")).splitlines()))
    assert len(rows) == 205
    assert json.loads(rows[0]["details"]) == {"changes": {"name": {"after": "204", "before": "a"}}}


def test_a_subject_has_the_actions_of_all_its_parts(hub: Hub, sam: Actor) -> None:
    note(hub, sam, "event.tagged", "events.exported", "eventual.end", "mail.set", "keys.rotated")
    events = list_entries(hub, sam, AuditFilters(subject="event")).rows
    assert [row.action for row in events] == ["events.exported", "event.tagged"]
    settings = list_entries(hub, sam, AuditFilters(subject="settings")).rows
    assert [row.action for row in settings] == ["keys.rotated", "mail.set"]


def test_a_difference_holds_what_changed_and_cuts_it() -> None:
    before = {"name": "Old", "rate": 5, "kept": [1], "gone": "x", "long": None}
    after = {"name": "New", "rate": 5, "kept": [1], "long": "y" * 500}
    found = audit.difference(before, after)
    assert list(found) == ["name", "gone", "long"]
    assert found["name"] == {"before": "Old", "after": "New"}
    assert found["gone"] == {"before": "x", "after": ""}
    assert found["long"]["before"] == ""
    assert found["long"]["after"] == "y" * 200 + "…"
    late = audit.difference({"m": "a" * 300 + "b"}, {"m": "a" * 300 + "c" * 300})["m"]
    assert late == {"before": "…" + "a" * 40 + "b", "after": "…" + "a" * 40 + "c" * 160 + "…"}


@pytest.mark.parametrize("role", ["member", "analyst"])
def test_the_log_is_for_staff(hub: Hub, role: str) -> None:
    actor = make_user(hub, "ada@example.com", role)
    for act in (
        lambda: list_entries(hub, actor, AuditFilters()),
        lambda: export_audit(hub, actor, AuditFilters(), "csv"),
    ):
        with pytest.raises(NotAllowed):
            act()
