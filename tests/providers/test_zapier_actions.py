"""Zapier's action against the fake."""

from collections.abc import Iterator

import pytest

from lib.errors import ProviderError
from tests.acting import Vendors, act, vendors


@pytest.fixture
def found() -> Iterator[Vendors]:
    with vendors("zapier") as found:
        yield found


def hook(found: Vendors, name: str) -> dict[str, str]:
    return {"hook_url": f"{found.urls['zapier']}/hooks/catch/1/{name}/"}


def test_a_catch_hook_is_triggered_and_nothing_more_is_claimed(found: Vendors) -> None:
    data = {"event_type": "order.paid"}
    result, calls = act(found, "zapier", "trigger_hook", hook(found, "fine"), data=data)
    assert found.apps["zapier"].state.sent == [data]
    assert result["outcome"] == "accepted"
    assert "even when no Zap is on" in result["note"]
    assert "success" in result["answer"]
    assert [call.path for call in calls] == ["/•••"]


@pytest.mark.parametrize(
    ("name", "permanent", "is_unprocessed"),
    [("gone", True, True), ("MAGIC429", False, True), ("MAGIC500", False, False)],
)
def test_a_hook_that_refuses_says_whether_it_may_be_repeated(
    found: Vendors, name: str, permanent: bool, is_unprocessed: bool
) -> None:
    with pytest.raises(ProviderError) as caught:
        act(found, "zapier", "trigger_hook", hook(found, name), data={})
    assert (caught.value.permanent, caught.value.is_unprocessed) == (permanent, is_unprocessed)
