"""Actions of HighLevel as members run them: with which token, and out of which budget."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlmodel import select

from lib.connections.checks import run_check
from lib.errors import ProviderError, RateLimited
from lib.hub import Hub
from lib.models import ApiCall
from lib.vendors import budgets
from lib.vendors.actions import run_action
from lib.vendors.budgets import Gauge, find_gauge
from tests.fakes.gohighlevel import TOKEN, Meter
from tests.oauth_clients import App, app_of


@pytest.fixture
def meter() -> Meter:
    return Meter(burst=4)


@pytest.fixture
def app(hub: Hub, meter: Meter) -> Iterator[App]:
    with app_of(hub, meter) as app:
        yield app


def get_contact(app: App, integration_id: str) -> Any:
    given = {"contact_id": "con1"}
    return run_action(app.hub, app.ada, integration_id, name="get_contact", given=given).result


def gauge(app: App, integration_id: str) -> Gauge:
    found = find_gauge(app.hub, app.ada, integration_id)
    assert found is not None
    return found


def contact_calls(app: App) -> list[int | None]:
    with app.hub.database.read() as session:
        calls = session.exec(select(ApiCall)).all()
    return [call.status for call in calls if call.path.startswith("/contacts/")]


@pytest.mark.parametrize("user_type", ["Location", "Company"])
def test_an_action_runs_with_the_authorised_token(app: App, user_type: str) -> None:
    # The vendor refuses this private token, so what succeeds was asked with the other.
    app.id = app.add(app.ada, "Old token", private_token="pit-wrong")
    with pytest.raises(ProviderError, match="refused the token"):
        get_contact(app, app.id)
    app.connect(user_type)
    assert "contact" in get_contact(app, app.id)
    assert contact_calls(app) == [401, 200]


def test_actions_of_all_connections_spend_the_budget_of_their_location(
    app: App, meter: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budgets, "WAIT_SECONDS", 0.2)
    other = app.add(app.ada, "Private token", private_token=TOKEN)
    app.connect()
    run_check(app.hub, app.ada, app.id)
    before = gauge(app, app.id)
    get_contact(app, app.id)
    get_contact(app, other)
    after = gauge(app, app.id)
    assert before.burst_remaining - after.burst_remaining == 2
    assert before.daily_remaining - after.daily_remaining == 2
    get_contact(app, app.id)
    with pytest.raises(RateLimited, match="Nothing was sent"):
        get_contact(app, other)
    # The refused one reached nobody: a check and three actions did.
    assert (len(meter.arrivals), meter.refused) == (4, 0)
    assert contact_calls(app) == [200, 200, 200]
