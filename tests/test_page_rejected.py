"""The page of refused requests."""

from collections.abc import Iterator

import pytest

from lib.hub import Hub
from tests.event_factories import make_integration, make_rejection
from tests.visitors import Visitor, visiting


@pytest.fixture
def visitor(sqlite_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    with visiting(sqlite_hub, monkeypatch) as visitor:
        yield visitor


def test_a_member_reads_why(visitor: Visitor) -> None:
    item = make_integration(visitor.hub, visitor.sign_in("member"))
    rejection_id = make_rejection(visitor.hub, item, not_kept=2)
    script = visitor.open("rejected")
    table = script.dataframe[0].value
    assert (table["reason"].tolist(), table["not_kept"].tolist()) == (["Wrong signature"], [2])
    assert "does not match" in table["message"][0]
    script.query_params["examine"] = rejection_id
    script.run()
    assert not script.exception
    assert any("does not match" in each.value for each in script.markdown)
    assert any("2 more like it were not kept" in each.value for each in script.caption)
    assert {"Body=secret+words", rejection_id} <= {each.value for each in script.code}


def test_the_service_narrows_the_list(visitor: Visitor) -> None:
    make_rejection(visitor.hub, make_integration(visitor.hub, visitor.sign_in("member")))
    script = visitor.open("rejected")
    script.selectbox(key="rejected_service").set_value("make").run()
    assert script.success[0].value == "No refused request matches. Empty a filter to see more."


def test_filters_are_kept_as_a_view(visitor: Visitor) -> None:
    make_rejection(visitor.hub, make_integration(visitor.hub, visitor.sign_in("member")))
    script = visitor.open("rejected")
    script.query_params["until"] = "2020-01-01T00:00Z"
    script.query_params["service"] = "twilio"
    script.run()
    assert not script.dataframe
    script.text_input(key="rejected_view_new").input("Before 2020")
    next(each for each in script.button if each.label == "Save view").click().run()
    script.query_params.clear()
    assert script.run().dataframe
    script.button(key="rejected_view_0").click().run()
    assert script.query_params["until"] == "2020-01-01T00:00Z"
    assert not script.dataframe


def test_members_do_not_see_each_others_refusals(visitor: Visitor) -> None:
    make_rejection(visitor.hub, make_integration(visitor.hub, visitor.sign_in("staff")))
    visitor.sign_in("member")
    script = visitor.open("rejected")
    assert script.success[0].value == "No request was refused."


def test_an_analyst_is_refused_in_words(visitor: Visitor) -> None:
    visitor.sign_in("analyst")
    script = visitor.run_alone("rejected")
    assert "not for the role analyst" in script.error[0].value
