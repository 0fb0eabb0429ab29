"""The monthly report: its figures, its two forms, and that nothing in it is markup."""

import csv
import io
import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from sqlmodel import select

from lib.access import Actor
from lib.errors import InvalidInput
from lib.hub import Hub
from lib.lists.csv_text import write_csv
from lib.masking import HIDDEN
from lib.models import AuditEntry
from lib.outgoing import issues
from lib.reports.downloads import Wanted, make_report
from lib.reports.monthly import monthly_report
from tests.event_factories import make_event, make_integration
from tests.factories import make_user
from tests.figure_factories import at, count_attempts, count_failures, count_received
from tests.outgoing_factories import make_delivery, make_destination, make_issue

BERLIN = ZoneInfo("Europe/Berlin")
NASTY = "<script>alert(1)</script>&\"'"
DAY = timedelta(days=1)


@pytest.fixture
def ada(hub: Hub) -> Actor:
    return make_user(hub)


def make_month(hub: Hub, owner: Actor) -> None:
    """Let something happen on 1 and 3 November 2026, on 31 October, and in September."""
    item = make_integration(hub, owner, NASTY)
    place = make_destination(hub, owner, NASTY)
    # 23:00 UTC on 31 October is midnight in Berlin, so it is of November there.
    for hour, count in (("2026-10-31 23:00", 2), ("2026-11-03 10:00", 5), ("2026-10-05 10:00", 4)):
        count_received(hub, item, at(hour), count)
    count_received(hub, item, at("2026-11-03 10:00"), 1, outcome="rejected")
    count_attempts(hub, place, at("2026-11-03 10:00"), 6)
    count_attempts(hub, place, at("2026-11-03 10:00"), 2, attempt=2)
    count_attempts(hub, place, at("2026-11-03 10:00"), 2, outcome="dead", attempt=10)
    count_failures(hub, place, at("2026-11-03 10:00"), 3)
    dead = make_delivery(hub, make_event(hub, item), place, status="dead")
    make_issue(hub, dead, message=f"It said {NASTY}", moment=at("2026-11-03 10:30"))


@time_machine.travel(at("2026-12-02 09:00"), tick=False)
def test_the_report_is_of_the_months_days_in_the_zone(hub: Hub, ada: Actor) -> None:
    make_month(hub, ada)
    report = monthly_report(hub, ada, "2026-11", zone=BERLIN)
    assert (report.figures.received, report.figures.rejected, report.before.received) == (7, 1, 4)
    assert (report.figures.delivered_share, report.figures.prompt_share) == (0.8, 0.8)
    assert len(report.days) == 30
    assert [(day.day, count) for day, count in report.days if count] == [(1, 2), (3, 5)]
    (line,) = report.integrations
    assert (line.name, line.received, line.rejected) == (NASTY, 7, 1)
    assert line.last_hour == at("2026-11-03 10:00")
    (place,) = report.destinations
    assert (place.attempts, place.delivered, place.dead, place.share) == (10, 8, 2, 0.8)
    assert (report.incidents.opened, report.incidents.resolved) == (1, 0)
    assert report.scope == "Ada (ada@example.com)"


def test_a_resolved_issue_counts_in_the_month_of_its_end(hub: Hub, ada: Actor) -> None:
    make_month(hub, ada)
    with time_machine.travel(at("2026-11-20 09:00"), tick=False):
        (row,) = issues.list_issues(hub, ada).rows
        issues.resolve(hub, ada, row.id)
        issues.reopen(hub, ada, row.id)
        issues.resolve(hub, ada, row.id)
    with time_machine.travel(at("2026-12-20 09:00"), tick=False):
        november = monthly_report(hub, ada, "2026-11", zone=BERLIN).incidents
        december = monthly_report(hub, ada, "2026-12", zone=BERLIN).incidents
    assert (november.opened, november.resolved, december.opened) == (1, 1, 0)
    assert [item.state for item in november.heaviest] == ["resolved"]


@time_machine.travel(at("2026-12-02 09:00"), tick=False)
def test_the_page_escapes_everything_and_fetches_nothing(hub: Hub, ada: Actor) -> None:
    make_month(hub, ada)
    page = make_report(hub, ada, Wanted("2026-11", "html", BERLIN))
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#x27;") >= 3
    assert re.findall(r"(?:src|href|url\(|@import|//)", page) == []
    assert re.findall(r"\son\w+=", page) == []
    assert page.startswith("<!doctype html>")
    assert "The receiving server failed (503)." in page
    assert '<td class="number">80.0%</td>' in page
    assert "<h1>Report of November 2026</h1>" in page


@time_machine.travel(at("2026-12-02 09:00"), tick=False)
def test_the_table_has_the_same_figures(hub: Hub, ada: Actor) -> None:
    make_month(hub, ada)
    text = make_report(hub, ada, Wanted("2026-11", "csv", BERLIN))
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["section", "item", "measure", "value"]
    found = {tuple(row[:3]): row[3] for row in rows[1:]}
    assert found["figures", "this month", "received"] == "7"
    assert found["days", "2026-11-01", "received"] == "2"
    assert found["integrations", NASTY, "rejected"] == "1"
    assert found["incidents", "", "opened"] == "1"


def test_cells_are_never_formulas() -> None:
    text = write_csv(("a",), [("=1+1",), ("@x",), ("-2",), (-2,), (None,), ('say "hi"',)])
    assert text.splitlines() == ["a", "'=1+1", "'@x", "'-2", "-2", '""', '"say ""hi"""']


@time_machine.travel(at("2026-12-02 09:00"), tick=False)
def test_others_months_stay_theirs(hub: Hub, ada: Actor) -> None:
    make_month(hub, ada)
    bob, sam = make_user(hub, "bob@example.com"), make_user(hub, "sam@example.com", "staff")
    mine = monthly_report(hub, bob, "2026-11", zone=BERLIN, member_id=ada.id)
    assert (mine.figures.received, mine.integrations, mine.destinations) == (0, [], [])
    assert (mine.incidents.opened, mine.incidents.heaviest) == (0, [])
    assert monthly_report(hub, sam, "2026-11", zone=BERLIN).figures.received == 7
    one = monthly_report(hub, sam, "2026-11", zone=BERLIN, member_id=bob.id)
    assert (one.scope, one.figures.received) == ("Bob (bob@example.com)", 0)
    analyst = make_user(hub, "ana@example.com", "analyst")
    seen = monthly_report(hub, analyst, "2026-11", zone=BERLIN, member_id=ada.id)
    assert (seen.scope, seen.incidents.heaviest[0].message) == ("All members", HIDDEN)


@time_machine.travel(at("2026-12-02 09:00"), tick=False)
def test_taking_a_report_away_is_told(hub: Hub, ada: Actor) -> None:
    make_report(hub, ada, Wanted("2026-11", "csv", BERLIN))
    with hub.database.read() as session:
        (entry,) = session.exec(select(AuditEntry)).all()
    assert (entry.action, entry.object_id) == ("report.made", "2026-11")
    assert entry.details["format"] == "csv"


@time_machine.travel(at("2026-12-02 09:00"), tick=False)
def test_an_empty_month_is_a_report_and_a_later_one_is_not(hub: Hub, ada: Actor) -> None:
    page = make_report(hub, ada, Wanted("2026-10", "html", BERLIN))
    for words in ("Nothing was received", "No attempt failed.", "Nothing was sent."):
        assert words in page
    for month, words in (("2027-01", "has not begun"), ("2026-1", "such as 2026-11")):
        with pytest.raises(InvalidInput, match=words):
            monthly_report(hub, ada, month, zone=BERLIN)
    with pytest.raises(InvalidInput, match="html, csv"):
        make_report(hub, ada, Wanted("2026-11", "pdf", BERLIN))
