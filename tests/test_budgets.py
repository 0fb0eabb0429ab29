"""A vendor's limits: held by any number of callers, corrected by its answers, shown to people."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from lib.clock import now, shifted
from lib.connections import checks, integrations
from lib.connections.integrations import Integration, owned_row
from lib.errors import NotFound, ProviderError, RateLimited
from lib.http import VendorAnswer
from lib.hub import Hub
from lib.models import IntegrationConfig, VendorBudget
from lib.providers.actions import ActionCall
from lib.providers.gohighlevel import GoHighLevel
from lib.vendors import budgets
from lib.vendors.budgets import Gauge, Purse, find_gauge, open_client
from lib.vendors.oauth_tokens import open_call_values
from tests.event_factories import make_integration
from tests.factories import make_user
from tests.fakes import gohighlevel
from tests.fakes.gohighlevel import LOCATION_ID, TOKEN, Meter
from tests.fakes.server import running

HEADERS = {"Authorization": f"Bearer {TOKEN}", "Version": "2021-07-28"}
DAY = timedelta(days=1)


class Caller:
    """One connection whose vendor counts calls with `meter`."""

    def __init__(self, hub: Hub, meter: Meter, url: str) -> None:
        settings = hub.settings.model_copy(update={"gohighlevel_api_url": url})
        self.hub = Hub(settings=settings, database=hub.database, vault=hub.vault)
        self.meter, self.url = meter, url
        self.ada = make_user(hub)
        self.item: Integration = integrations.add(
            self.hub,
            self.ada,
            service_name="gohighlevel",
            name="Studio",
            values={"location_id": LOCATION_ID, "private_token": TOKEN},
        ).integration

    @property
    def row(self) -> IntegrationConfig:
        with self.hub.database.read() as session:
            return owned_row(session, self.ada, self.item.id)

    def call(self, token: str = TOKEN) -> VendorAnswer:
        with open_client(self.hub, self.row) as client:
            headers = {**HEADERS, "Authorization": f"Bearer {token}"}
            return client.request("GET", f"{self.url}/locations/{LOCATION_ID}", headers=headers)

    def act(self) -> None:
        """Run an action as its use case does."""
        row = self.row
        action = next(each for each in GoHighLevel.actions if each.name == "get_location")
        with open_client(self.hub, row) as client:
            values = open_call_values(self.hub, row)
            call = ActionCall(values, self.hub.settings, client, row.webhook_url)
            assert action.run(action.input(), call)["location"]["id"] == LOCATION_ID

    def act_until_done(self) -> None:
        while True:
            try:
                self.act()
            except RateLimited as error:
                time.sleep(error.retry_after_seconds)
            else:
                return

    def stored(self) -> VendorBudget:
        with self.hub.database.read() as session:
            return session.get_one(VendorBudget, ("gohighlevel", LOCATION_ID))

    def gauge(self) -> Gauge:
        checks.run_check(self.hub, self.ada, self.item.id)
        gauge = find_gauge(self.hub, self.ada, self.item.id)
        assert gauge is not None
        return gauge


@contextmanager
def calling(hub: Hub, meter: Meter) -> Iterator[Caller]:
    with running(gohighlevel.make_app(meter)) as url:
        yield Caller(hub, meter, url)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count in windows of one second, and refuse soon."""
    quick = replace(GoHighLevel.budget, burst=20, burst_seconds=1.0)
    monkeypatch.setattr(GoHighLevel, "budget", quick)


@pytest.mark.usefixtures("quick")
def test_limits_hold_under_fifty_concurrent_actions(hub: Hub) -> None:
    # On a busy machine a call arrives some tenths of a second after its turn.
    with calling(hub, Meter(burst=20, seconds=0.7)) as caller:
        gate = threading.Barrier(50)

        def act() -> None:
            gate.wait()
            caller.act_until_done()

        with ThreadPoolExecutor(50) as pool:
            for done in [pool.submit(act) for _ in range(50)]:
                done.result()
        assert len(caller.meter.arrivals) == 50
        assert caller.meter.refused == 0
        assert caller.meter.most_in_window <= 20


@pytest.mark.usefixtures("quick")
def test_a_smaller_limit_is_learned_from_the_first_answer(hub: Hub) -> None:
    with calling(hub, Meter(burst=3, seconds=1.0)) as caller:
        for _ in range(7):
            caller.act_until_done()
        assert caller.meter.refused == 0
        assert caller.meter.most_in_window <= 3


@pytest.mark.usefixtures("quick")
def test_calls_of_another_system_count_too(hub: Hub) -> None:
    with calling(hub, Meter(burst=20, seconds=1.0)) as caller:
        for _ in range(17):
            caller.meter.count()
        for _ in range(4):
            caller.act_until_done()
        assert caller.meter.refused == 0


def test_a_full_window_is_waited_for_or_refused(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets, "WAIT_SECONDS", 0.2)
    with calling(hub, Meter(burst=2, seconds=10.0)) as caller:
        caller.call()
        caller.call()
        with pytest.raises(RateLimited) as caught:
            caller.call()
        assert 9 <= caught.value.retry_after_seconds <= 12
        assert "GoHighLevel takes no more calls" in caught.value.message
        # Who repeats deliveries sees a refusal that did nothing.
        assert isinstance(caught.value, ProviderError)
        assert (caught.value.is_unprocessed, caught.value.permanent) == (True, False)
        with pytest.raises(RateLimited):
            checks.run_check(caller.hub, caller.ada, caller.item.id)
        assert integrations.get(caller.hub, caller.ada, caller.item.id).status == "untested"
        assert len(caller.meter.arrivals) == 2
        with shifted(timedelta(seconds=13)):
            caller.call()
        assert len(caller.meter.arrivals) == 3


def test_a_day_that_is_used_up_is_left_alone_until_it_ends(hub: Hub) -> None:
    with calling(hub, Meter(daily=3)) as caller:
        for _ in range(3):
            caller.call()
        with pytest.raises(RateLimited) as caught:
            caller.call()
        assert caught.value.retry_after_seconds > 5
        assert len(caller.meter.arrivals) == 3
        caller.meter.arrivals.clear()
        with shifted(DAY):
            assert caller.call().status == 200
            assert caller.stored().daily_remaining == 2


def test_one_call_at_a_time_finds_out_whether_the_day_is_over(hub: Hub) -> None:
    with calling(hub, Meter(daily=3)) as caller:
        for _ in range(3):
            caller.call()
        for _ in range(2):
            before = caller.stored().updated_at
            with pytest.raises(RateLimited):
                caller.call()
            # Those who ask in vain do not put it off.
            assert caller.stored().updated_at == before
        moment = now()
        with hub.database.write() as session:
            row = session.get_one(VendorBudget, ("gohighlevel", LOCATION_ID))
            row.updated_at, row.day_ends_at = moment - timedelta(minutes=11), moment + DAY
        assert caller.call().status == 429
        with pytest.raises(RateLimited) as caught:
            caller.call()
        assert 590 < caught.value.retry_after_seconds <= 600
        assert len(caller.meter.arrivals) == 4


def test_the_vendors_new_day_is_believed(hub: Hub) -> None:
    with calling(hub, Meter()) as caller:
        caller.call()
        with hub.database.write() as session:
            session.get_one(VendorBudget, ("gohighlevel", LOCATION_ID)).daily_remaining = 5
        caller.call()
        assert caller.stored().daily_remaining == 200_000 - 2 - 100


def test_a_refusal_without_headers_ends_the_burst(hub: Hub) -> None:
    with calling(hub, Meter()) as caller:
        assert caller.call("MAGIC429").status == 429
        purse = Purse(hub.database, GoHighLevel(), LOCATION_ID, GoHighLevel.budget)
        with pytest.raises(RateLimited):
            purse.take()


def test_a_bad_token_uses_nothing_up(hub: Hub) -> None:
    with calling(hub, Meter()) as caller:
        for _ in range(5):
            assert caller.call("pit-wrong").status == 401
        assert caller.stored().daily_remaining == 200_000
        assert sum(caller.stored().spent.values()) == 0


@pytest.mark.parametrize("text", ["", "x", "-1", "1e9", "9" * 40, "²"])
def test_nonsense_in_headers_says_nothing(text: str) -> None:
    headers = {"x-ratelimit-max": text, "x-ratelimit-daily-remaining": text}
    readings = GoHighLevel.budget.read(headers)
    assert (readings.burst_limit, readings.daily_remaining) == (None, None)


def test_the_gauge_shows_what_is_left_to_those_who_may_see_it(hub: Hub) -> None:
    with calling(hub, Meter()) as caller:
        assert find_gauge(caller.hub, caller.ada, caller.item.id) is None
        gauge = caller.gauge()
        assert (gauge.burst_remaining, gauge.burst_limit) == (99, 100)
        assert (gauge.daily_remaining, gauge.daily_limit) == (199_999, 200_000)
        with shifted(timedelta(seconds=15)):
            later = find_gauge(caller.hub, caller.ada, caller.item.id)
            assert later is not None
            assert later.burst_remaining == 100
        bob = make_user(hub, "bob@example.com")
        with pytest.raises(NotFound):
            find_gauge(caller.hub, bob, caller.item.id)
        # Who names the same location without a token for it learns nothing.
        named = integrations.add(
            hub, bob, service_name="gohighlevel", name="Mine", values={"location_id": LOCATION_ID}
        )
        assert find_gauge(hub, bob, named.integration.id) is None


def test_a_vendor_without_limits_is_called_unpaced(hub: Hub) -> None:
    ada = make_user(hub)
    item = make_integration(hub, ada)
    with hub.database.read() as session:
        row = owned_row(session, ada, item.id)
    with open_client(hub, row) as client:
        assert not isinstance(client, budgets.PacedClient)
