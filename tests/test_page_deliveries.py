"""The deliveries page: filters, choosing rows, replays through the dry run."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlmodel import col, select
from streamlit.testing.v1 import AppTest

from lib.access import Actor
from lib.hub import Hub
from lib.models import Delivery, Destination
from lib.outgoing.replays import work_replays
from tests.event_factories import make_event, make_integration
from tests.factories import make_user
from tests.outgoing_factories import make_delivery, make_destination
from tests.visitors import Visitor, visiting


@dataclass(frozen=True)
class Ground:
    """A visitor with an event and a destination."""

    visitor: Visitor
    owner: Actor
    event_id: str
    place: Destination

    def deliver(self, status: str) -> str:
        return make_delivery(self.visitor.hub, self.event_id, self.place, status=status).id

    def replayed(self) -> list[str]:
        query = select(Delivery.origin_id).where(col(Delivery.origin_id).is_not(None))
        with self.visitor.hub.database.read() as session:
            return sorted(str(origin) for origin in session.exec(query))


@pytest.fixture
def ground(sqlite_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    with visiting(sqlite_hub, monkeypatch) as visitor:
        owner = visitor.sign_in("member")
        event_id = make_event(sqlite_hub, make_integration(sqlite_hub, owner))
        yield Ground(visitor, owner, event_id, make_destination(sqlite_hub, owner))


def _ids(script: AppTest) -> list[str]:
    return list(script.dataframe[0].value["id"])


def _select(script: AppTest, *rows: int) -> None:
    """Choose rows as a click on their boxes does; AppTest has no call for it."""
    key = re.search(r"deliveries_table_\w+", script.dataframe[0].proto.id)
    assert key
    script.session_state[key[0]] = {"selection": {"rows": list(rows), "columns": []}}


def test_without_deliveries_the_page_says_so(ground: Ground) -> None:
    script = ground.visitor.open("deliveries")
    assert not script.exception
    assert "Nothing was sent yet" in script.info[0].value


def test_filters_narrow_and_can_be_cleared(ground: Ground) -> None:
    dead, fine = ground.deliver("dead"), ground.deliver("delivered")
    script = ground.visitor.open("deliveries")
    assert _ids(script) == [fine, dead]
    script.selectbox(key="deliveries_status").set_value("dead").run()
    assert _ids(script) == [dead]
    script.selectbox(key="deliveries_error").set_value("tls").run()
    assert "No delivery matches" in script.info[0].value
    script.button(key="deliveries_clear").click().run()
    assert _ids(script) == [fine, dead]
    script.selectbox(key="deliveries_destination").set_value(ground.place.id).run()
    script.button_group(key="deliveries_made").set_value("1h").run()
    assert _ids(script) == [fine, dead]


def test_filters_come_from_the_address(ground: Ground) -> None:
    dead = ground.deliver("dead")
    ground.deliver("delivered")
    script = ground.visitor.open()
    script.query_params["status"] = "dead"
    script.switch_page("../../pages/deliveries.py").run()
    assert _ids(script) == [dead]


def test_older_pages(ground: Ground) -> None:
    ids = [ground.deliver("delivered") for _ in range(51)]
    script = ground.visitor.open("deliveries")
    assert _ids(script) == ids[:0:-1]
    script.button(key="deliveries_older").click().run()
    assert _ids(script) == ids[:1]


def test_all_that_match_are_replayed_as_counted(ground: Ground) -> None:
    dead = [ground.deliver("dead") for _ in range(2)]
    ground.deliver("delivered")
    ground.deliver("retrying")
    script = ground.visitor.open("deliveries")
    script.selectbox(key="deliveries_status").set_value("dead").run()
    script.button(key="deliveries_replay_all").click().run()
    assert any("**2 deliveries**" in each.value for each in script.markdown)
    script.button(key="replay_start").click().run()
    assert not script.exception
    assert work_replays(ground.visitor.hub) == 2
    assert ground.replayed() == dead
    assert "2 deliveries made anew" in script.run().success[0].value


def test_chosen_rows_are_replayed_alone(ground: Ground) -> None:
    ids = [ground.deliver("dead") for _ in range(3)]
    script = ground.visitor.open("deliveries")
    assert script.button(key="deliveries_replay_selected").disabled
    _select(script, 1)
    script.run()
    script.button(key="deliveries_replay_selected").click().run()
    script.button(key="replay_start").click().run()
    assert ground.replayed() == [ids[1]]


def test_a_choice_does_not_pass_to_rows_that_came_into_its_place(ground: Ground) -> None:
    first, second = ground.deliver("dead"), ground.deliver("dead")
    script = ground.visitor.open("deliveries")
    _select(script, 0)
    script.run()
    assert script.button(key="deliveries_replay_selected").label == "Replay selected (1)…"
    third = ground.deliver("dead")
    script.run()
    assert _ids(script) == [third, second, first]
    button = script.button(key="deliveries_replay_selected")
    assert (button.label, button.disabled) == ("Replay selected (0)…", True)


def test_open_deliveries_are_named_and_left_out(ground: Ground) -> None:
    ground.deliver("retrying")
    script = ground.visitor.open("deliveries")
    script.button(key="deliveries_replay_all").click().run()
    assert "nothing to replay" in script.info[0].value
    assert any("1 left out" in each.value for each in script.caption)
    assert "replay_start" not in [each.key for each in script.button]


def test_an_analyst_sees_a_masked_list_and_no_buttons(ground: Ground) -> None:
    dead = ground.deliver("dead")
    ground.visitor.sign_in("analyst")
    script = ground.visitor.open("deliveries")
    assert not script.exception
    assert _ids(script) == [dead]
    assert not [each.key for each in script.button if "replay" in str(each.key)]
    assert "status 500" not in repr(script.dataframe[0].value.to_dict())


def test_another_member_sees_nothing(ground: Ground) -> None:
    ground.deliver("dead")
    ground.visitor.sign_in("staff")
    assert len(_ids(ground.visitor.open("deliveries"))) == 1
    ground.visitor.sign_in_as(make_user(ground.visitor.hub, "bob@example.com"))
    assert "Nothing was sent yet" in ground.visitor.open("deliveries").info[0].value


def test_what_waits_is_cancelled_as_it_was_shown(ground: Ground) -> None:
    waiting, dead = ground.deliver("retrying"), ground.deliver("dead")
    script = ground.visitor.open("deliveries")
    script.button(key="deliveries_cancel").click().run()
    assert script.button(key="bulk_start").label == "Cancel what is queued: 1 delivery"
    later = ground.deliver("pending")
    script.button(key="bulk_start").click().run()
    assert not script.exception
    assert "1 done" in script.success[0].value
    with ground.visitor.hub.database.read() as session:
        found = {each: session.get_one(Delivery, each).status for each in (waiting, dead, later)}
    assert found == {waiting: "cancelled", dead: "dead", later: "pending"}


def test_chips_columns_and_answers(ground: Ground) -> None:
    dead = ground.deliver("dead")
    ground.deliver("delivered")
    with ground.visitor.hub.database.write() as session:
        session.get_one(Delivery, dead).response_status = 503
    script = ground.visitor.open("deliveries")
    script.multiselect(key="deliveries_shown").set_value(["Exact time", "Answer"]).run()
    assert list(script.dataframe[0].proto.column_order) == ["created_at", "status", "at", "answer"]
    script.text_input(key="deliveries_answer").input("5xx")
    script.query_params["answer"] = "5xx"
    assert _ids(script.run()) == [dead]
    script.button(key="deliveries_chip_answer").click().run()
    assert len(_ids(script)) == 2
    script.number_input(key="deliveries_attempts").set_value(20).run()
    assert script.query_params["attempts"] == "20"
    assert not script.dataframe
    script.button(key="deliveries_chip_attempts").click().run()
    script.text_input(key="deliveries_answer").input("often")
    script.query_params["answer"] = "often"
    assert "such as 404" in script.run().error[0].value
