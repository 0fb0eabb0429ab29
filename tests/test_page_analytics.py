"""The analytics page: what each role is shown, and that the address holds what was chosen."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from lib.access import Actor
from lib.clock import now
from lib.connections.integrations import Integration
from lib.hub import Hub
from lib.ui import address_fields
from lib.ui.analytics import view as analytics_view
from lib.ui.analytics import volume as analytics_volume
from tests.event_factories import make_integration
from tests.factories import make_user
from tests.figure_factories import (
    count_attempts,
    count_failures,
    count_messages,
    count_received,
    count_waits,
)
from tests.outgoing_factories import make_destination
from tests.visitors import Visitor, visiting

SECTIONS = ("Deliveries", "Failures", "Rhythm", "Messages", "Report")
HOUR = timedelta(hours=1)


@pytest.fixture
def visitor(sqlite_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    with visiting(sqlite_hub, monkeypatch) as visitor:
        yield visitor


def make_history(hub: Hub, owner: Actor, count: int = 12) -> Integration:
    """Count something of every kind an hour ago, and half of it a week before."""
    item = make_integration(hub, owner)
    place = make_destination(hub, owner, f"Store of {owner.name}")
    hour = now().replace(minute=0, second=0, microsecond=0) - HOUR
    for moment, amount in ((hour, count), (hour - timedelta(days=7), count // 2)):
        count_received(hub, item, moment, amount)
        count_attempts(hub, place, moment, amount)
        count_attempts(hub, place, moment, 1, outcome="dead", attempt=10)
    count_failures(hub, place, hour, 1)
    count_messages(hub, item, hour, 3)
    count_messages(hub, item, hour, 1, state="undelivered", error_code="30003")
    count_waits(hub, item, hour, 2)
    return item


def tiles(script: AppTest) -> dict[str, str]:
    return {each.label: each.value for each in script.metric}


def test_a_new_member_reads_why_nothing_is_there(visitor: Visitor) -> None:
    visitor.sign_in("member")
    script = visitor.open("analytics")
    for section in SECTIONS:
        script.button_group(key="analytics_show").set_value(section).run()
        assert not script.exception
    assert any("Nothing was received" in each.value for each in script.info)
    assert tiles(script)["Delivered"] == "none"


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_is_drawn(visitor: Visitor, section: str) -> None:
    make_history(visitor.hub, visitor.sign_in("member"))
    script = visitor.open("analytics")
    script.button_group(key="analytics_show").set_value(section).run()
    assert not script.exception
    assert not script.error
    assert (tiles(script)["Received"], tiles(script)["Dead"]) == ("12", "1")
    assert all(each.value for each in script.subheader)


def test_figures_are_compared_with_the_period_that_was_chosen(visitor: Visitor) -> None:
    make_history(visitor.hub, visitor.sign_in("member"))
    script = visitor.open("analytics")
    script.button_group(key="analytics_span").set_value("24h").run()
    received = next(each for each in script.metric if each.label == "Received")
    assert received.delta == ""
    script.selectbox(key="analytics_compare").set_value("week").run()
    received = next(each for each in script.metric if each.label == "Received")
    assert received.delta == "+100%"
    assert script.query_params["compare"] == "week"
    script.selectbox(key="analytics_compare").set_value("off").run()
    assert not any("Compared with" in each.value for each in script.caption)


def test_a_part_of_the_time_in_the_address_narrows_all_but_the_volume(visitor: Visitor) -> None:
    make_history(visitor.hub, visitor.sign_in("member"))
    script = visitor.open("analytics")
    until = (now() - timedelta(days=2)).strftime("%Y-%m-%dT%H:%MZ")
    since = (now() - timedelta(days=3)).strftime("%Y-%m-%dT%H:%MZ")
    script.query_params["since"], script.query_params["until"] = since, until
    script.run()
    assert not script.exception
    assert tiles(script)["Received"] == "0"
    assert not any("Nothing was received" in each.value for each in script.info)
    script.button(key="analytics_unfocus").click().run()
    assert tiles(script)["Received"] == "12"
    assert "since" not in script.query_params


@pytest.mark.parametrize(
    "given",
    [
        {"since": "yesterday", "until": "2026-11-03T10:00Z"},
        {"since": "2026-11-03T10:00", "until": "2026-11-03T11:00"},
        {"since": "1999-01-01T00:00Z", "until": "1999-01-02T00:00Z"},
        {"since": "2026-11-03T10:00Z"},
        {"span": "fortnight"},
        {"compare": "never"},
        {"service": "<script>", "integration": "int_none"},
    ],
)
def test_an_odd_address_shows_everything(visitor: Visitor, given: dict[str, str]) -> None:
    make_history(visitor.hub, visitor.sign_in("member"))
    script = visitor.open("analytics")
    for name, value in given.items():
        script.query_params[name] = value
    script.run()
    assert not script.exception
    assert tiles(script)["Received"] == "12"


class _Address(dict[str, str]):
    """The part of `st.query_params` that is used, outside a run of a script."""

    def get_all(self, name: str) -> list[str]:
        return [self[name]]

    def from_dict(self, given: Mapping[str, Sequence[str]]) -> None:
        self.clear()
        self.update({name: values[-1] for name, values in given.items()})


def test_a_choice_in_the_chart_goes_into_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict[str, object] = {}
    address = _Address(since="old", until="old")
    fake = SimpleNamespace(session_state=state, query_params=address)
    for module in (analytics_volume, analytics_view, address_fields):
        monkeypatch.setattr(module, "st", fake)

    def choose(brush: dict[str, object], picked: list[dict[str, str]]) -> None:
        state["chart"] = SimpleNamespace(selection={"brush": brush, "picked": picked})
        analytics_volume._take_choice("chart")

    choose({"start": [1_762_167_600_000.0, 1_762_160_400_000.0]}, [])
    assert address == {"since": "2025-11-03T09:00Z", "until": "2025-11-03T11:00Z"}
    # The chart is drawn anew after each choice, and may have lost the one before.
    choose({}, [{"service": "Twilio"}])
    assert address["service"] == "twilio"
    assert address["until"] == "2025-11-03T11:00Z"
    choose({}, [{"service": "Twilio"}])
    assert address == {"service": "twilio"}
    choose({}, [])
    assert address == {}


def test_the_link_to_activity_holds_the_filters(visitor: Visitor) -> None:
    make_history(visitor.hub, visitor.sign_in("member"))
    script = visitor.open("analytics")
    script.selectbox(key="analytics_service").set_value("twilio").run()
    assert script.query_params["service"] == "twilio"
    assert any("counted by destination" in each.value for each in script.caption)
    links = [each.proto for each in script.get("page_link")]
    queries = [parse_qs(urlsplit(f"?{each.query_string}").query) for each in links]
    (query,) = [query for query in queries if "since" in query]
    assert query["service"] == ["twilio"]
    assert query["since"][0] < query["until"][0]


def test_members_see_their_own_and_staff_choose_one(visitor: Visitor) -> None:
    ada, bob = make_user(visitor.hub), make_user(visitor.hub, "bob@example.com")
    make_history(visitor.hub, ada, 12)
    make_history(visitor.hub, bob, 30)
    visitor.sign_in_as(ada)
    script = visitor.open("analytics")
    assert tiles(script)["Received"] == "12"
    assert "analytics_member" not in [each.key for each in script.selectbox]
    visitor.sign_in("staff")
    script = visitor.open("analytics")
    assert tiles(script)["Received"] == "42"
    script.selectbox(key="analytics_member").set_value(bob.id).run()
    assert tiles(script)["Received"] == "30"
    assert script.query_params["member"] == bob.id


def test_an_analyst_sees_all_without_owners(visitor: Visitor) -> None:
    make_history(visitor.hub, make_user(visitor.hub), 12)
    visitor.sign_in("analyst")
    script = visitor.open("analytics")
    assert not script.exception
    assert tiles(script)["Received"] == "12"
    assert "analytics_member" not in [each.key for each in script.selectbox]
    shown = " ".join(str(each.value) for each in (*script.markdown, *script.caption))
    assert "ada@example.com" not in shown


def test_the_month_of_the_report_is_the_one_that_was_chosen(visitor: Visitor) -> None:
    visitor.sign_in("member")
    script = visitor.open("analytics")
    script.button_group(key="analytics_span").set_value("month").run()
    earlier = script.selectbox(key="analytics_month").options[1]
    script.selectbox(key="analytics_month").set_value(earlier).run()
    script.button_group(key="analytics_show").set_value("Report").run()
    assert not script.exception
    words = f"Report of {datetime.fromisoformat(f'{earlier}-01'):%B %Y}"
    assert words in [each.value for each in script.subheader]
