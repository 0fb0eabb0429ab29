"""The issues page: the list, one in detail, what people say, the replay of all affected."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlmodel import col, select
from streamlit.navigation.page import StreamlitPage
from streamlit.testing.v1 import AppTest

from lib.hub import Hub
from lib.models import Delivery, Issue
from lib.outgoing.replays import work_replays
from tests.event_factories import make_event, make_integration
from tests.outgoing_factories import make_delivery, make_destination, make_issue
from tests.visitors import Visitor, visiting


@pytest.fixture
def visitor(sqlite_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    with visiting(sqlite_hub, monkeypatch) as visitor:
        yield visitor


@dataclass(frozen=True)
class Trouble:
    """An issue and what died of it."""

    issue_id: str
    dead_ids: list[str]


def _make_trouble(visitor: Visitor, role: str = "member", *, count: int = 3) -> Trouble:
    owner = visitor.sign_in(role)
    event_id = make_event(visitor.hub, make_integration(visitor.hub, owner))
    place = make_destination(visitor.hub, owner)
    dead = [make_delivery(visitor.hub, event_id, place, status="dead") for _ in range(count)]
    return Trouble(make_issue(visitor.hub, *dead), [row.id for row in dead])


def _open_issue(visitor: Visitor, issue_id: str) -> AppTest:
    script = visitor.open("issues")
    script.query_params["open"] = issue_id
    return script.run()


def _words(script: AppTest) -> str:
    return " ".join(each.value for each in (*script.markdown, *script.caption))


def _issue(visitor: Visitor, issue_id: str) -> Issue:
    with visitor.hub.database.read() as session:
        return session.get_one(Issue, issue_id)


def _replayed(visitor: Visitor) -> list[str]:
    query = select(Delivery.origin_id).where(col(Delivery.origin_id).is_not(None))
    with visitor.hub.database.read() as session:
        return sorted(str(origin) for origin in session.exec(query))


def test_without_issues_the_page_says_so(visitor: Visitor) -> None:
    visitor.sign_in("member")
    script = visitor.open("issues")
    assert not script.exception
    assert "No issues" in script.success[0].value


def test_the_list_says_what_where_and_how_often(visitor: Visitor) -> None:
    trouble = _make_trouble(visitor)
    script = visitor.open("issues")
    assert not script.exception
    for word in ("Warehouse", "3 dead letters", "Failed there", "status 500", "Open"):
        assert word in _words(script), word
    script.selectbox(key="issues_state").set_value("resolved").run()
    assert "No issue matches" in script.success[0].value
    script.selectbox(key="issues_state").set_value("open").run()
    script.button(key=f"issues_open_{trouble.issue_id}").click().run()
    assert script.query_params["open"] == trouble.issue_id
    assert [each.label for each in script.metric] == ["Dead letters", "Contacts, about"]
    script.button(key="issues_back").click().run()
    assert "open" not in script.query_params


def test_the_menu_counts_what_is_open(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    titles: list[str] = []
    monkeypatch.setattr(StreamlitPage, "run", lambda page: titles.append(page.title))
    trouble = _make_trouble(visitor)
    script = visitor.open("issues")
    assert titles[-1] == "Issues (1)"
    with visitor.hub.database.write() as session:
        session.get_one(Issue, trouble.issue_id).state = "ignored"
    script.run()
    assert titles[-1] == "Issues"


@pytest.mark.parametrize("state", ["acknowledged", "resolved", "ignored"])
def test_a_state_is_set_and_taken_back(visitor: Visitor, state: str) -> None:
    trouble = _make_trouble(visitor)
    script = _open_issue(visitor, trouble.issue_id)
    script.button(key=f"issues_turn_{state}").click().run()
    assert _issue(visitor, trouble.issue_id).state == state
    script.button(key="issues_turn_open").click().run()
    assert _issue(visitor, trouble.issue_id).state == "open"


def test_a_note_is_kept(visitor: Visitor) -> None:
    trouble = _make_trouble(visitor)
    script = _open_issue(visitor, trouble.issue_id)
    script.text_area(key="issues_note").set_value("They *mend* it today.")
    next(each for each in script.button if each.label == "Save the note").click().run()
    assert _issue(visitor, trouble.issue_id).note == "They *mend* it today."
    script.button(key="issues_back").click().run()
    assert r"They \*mend\* it today" in _words(script)


def test_all_affected_are_replayed_through_the_dry_run(visitor: Visitor) -> None:
    trouble = _make_trouble(visitor)
    script = _open_issue(visitor, trouble.issue_id)
    script.button(key="issues_replay").click().run()
    assert "**3 deliveries** to Warehouse (3)" in _words(script)
    assert _replayed(visitor) == []
    script.button(key="replay_start").click().run()
    assert not script.exception
    assert [each.label for each in script.button if each.key == "replay_start"] == []
    assert _replayed(visitor) == []
    assert work_replays(visitor.hub) == 3
    script.run()
    assert "3 deliveries made anew" in script.success[0].value
    assert _replayed(visitor) == sorted(trouble.dead_ids)
    script.button(key="replay_close").click().run()
    assert "replay" not in script.query_params


def test_a_second_replay_warns_of_duplicates(visitor: Visitor) -> None:
    trouble = _make_trouble(visitor, count=1)
    script = _open_issue(visitor, trouble.issue_id)
    script.button(key="issues_replay").click().run()
    assert not script.warning
    script.button(key="replay_start").click().run()
    assert _replayed(visitor) == trouble.dead_ids
    script.button(key="issues_replay").click().run()
    assert "1 of them was replayed before" in script.warning[0].value


def test_another_members_issue_is_not_found(visitor: Visitor) -> None:
    trouble = _make_trouble(visitor, "staff")
    visitor.sign_in("member")
    script = _open_issue(visitor, trouble.issue_id)
    assert "There is no such issue" in script.error[0].value
    assert "No issues" in visitor.open("issues").success[0].value


def test_an_analyst_is_refused_in_words(visitor: Visitor) -> None:
    visitor.sign_in("analyst")
    assert not visitor.open().exception
    assert "not for the role analyst" in visitor.run_alone("issues").error[0].value
