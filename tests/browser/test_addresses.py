"""A filter stands in the address: it outlives a reload, a way out and back, and a shared link."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from lib.clock import now
from lib.hub import Hub
from tests.browser.conftest import Dashboard, open_context
from tests.browser.visits import enter, person, rest, visit
from tests.event_factories import make_event, make_integration
from tests.figure_factories import count_received
from tests.outgoing_factories import make_delivery, make_destination


@pytest.fixture
def other(chromium: Browser) -> Iterator[BrowserContext]:
    """The browser of whoever gets the link."""
    yield from open_context(chromium, "dark")


@pytest.fixture(scope="module")
def filled(dashboard: Dashboard) -> Hub:
    """Three deliveries that arrived and two that did not; events of two services."""
    hub, ada = dashboard.hub, person(dashboard.hub, "ada")
    desk = make_integration(hub, ada, "Desk")
    event_id = make_event(hub, desk)
    place = make_destination(hub, ada, "Ledger")
    for status in ("delivered", "delivered", "delivered", "dead", "dead"):
        make_delivery(hub, event_id, place, status=status)
    hour = now().replace(minute=0, second=0, microsecond=0)
    count_received(hub, desk, hour - timedelta(days=2), 10)
    count_received(hub, make_integration(hub, ada, "Flow", service_name="make"), hour, 5)
    return hub


def choose(page: Page, label: str, option: str) -> None:
    """Choose one of a list."""
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option, exact=True).click()


def check_lasts(page: Page, other: BrowserContext, seen: Locator, text: str) -> None:
    """Fail unless what is seen stays through a reload, and comes with a shared link."""
    expect(seen).to_contain_text(text)
    address = page.url
    page.reload(wait_until="commit")
    rest(page)
    expect(seen).to_contain_text(text)
    theirs = other.new_page()
    visit(theirs, address)
    test_id = seen.get_attribute("data-testid") or ""
    expect(theirs.get_by_test_id(test_id).filter(has_text=text).first).to_be_visible()


def check_comes_back(page: Page, seen: Locator, text: str) -> None:
    """Fail unless what is seen is there again after a way out and back."""
    address = page.url
    page.get_by_role("link", name="Account", exact=True).click()
    expect(page.get_by_role("heading", name="Account", exact=True)).to_be_visible()
    page.go_back()
    expect(seen).to_contain_text(text)
    assert page.url == address


def test_filters_of_deliveries_outlive_reload_back_and_a_shared_link(
    dashboard: Dashboard, filled: Hub, context: BrowserContext, other: BrowserContext
) -> None:
    for each in (context, other):
        enter(each, dashboard, "ada")
    page = context.new_page()
    visit(page, f"{dashboard.url}/deliveries")
    note = page.get_by_test_id("stCaptionContainer").filter(has_text="on this page")
    expect(note).to_contain_text("5 on this page")
    choose(page, "Status", "Delivered")
    expect(note).to_contain_text("3 on this page")
    choose(page, "Destination", "Ledger")
    page.wait_for_url("**destination=dst_**")
    assert "status=delivered" in page.url
    check_lasts(page, other, note, "3 on this page")
    check_comes_back(page, note, "3 on this page")


def test_filters_of_analytics_outlive_reload_and_a_shared_link(
    dashboard: Dashboard, filled: Hub, context: BrowserContext, other: BrowserContext
) -> None:
    for each in (context, other):
        enter(each, dashboard, "ada")
    page = context.new_page()
    visit(page, f"{dashboard.url}/analytics")
    received = page.get_by_test_id("stMetric").filter(has_text="Received")
    expect(received).to_contain_text("15")
    page.get_by_role("radio", name="24h").click()
    expect(received).to_contain_text("5")
    page.wait_for_url("**span=24h**")
    page.get_by_role("radio", name="30d").click()
    expect(received).to_contain_text("15")
    choose(page, "Service", "Twilio")
    page.wait_for_url("**service=twilio**")
    page.get_by_role("radio", name="Rhythm").click()
    page.wait_for_url("**show=Rhythm**")
    assert "span=30d" in page.url
    check_lasts(page, other, received, "10")
