"""A filter stands in the address: it outlives a reload, a way out and back, and a shared link."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from lib.clock import now
from lib.hub import Hub
from tests.browser.conftest import Dashboard, open_context
from tests.browser.visits import enter, person, rest, visit
from tests.event_factories import make_event, make_integration, make_rejection
from tests.figure_factories import count_received
from tests.outgoing_factories import make_delivery, make_destination


@pytest.fixture
def other(chromium: Browser) -> Iterator[BrowserContext]:
    """The browser of whoever gets the link."""
    yield from open_context(chromium, "dark")


@pytest.fixture(scope="module")
def filled(dashboard: Dashboard) -> Hub:
    """Three deliveries that arrived and two that did not; all else once for each service."""
    hub, ada = dashboard.hub, person(dashboard.hub, "ada")
    desk = make_integration(hub, ada, "Desk")
    flow = make_integration(hub, ada, "Flow", service_name="make")
    for item in (desk, flow):
        make_rejection(hub, item)
    make_event(hub, flow)
    event_id = make_event(hub, desk)
    place = make_destination(hub, ada, "Ledger")
    for status in ("delivered", "delivered", "delivered", "dead", "dead"):
        make_delivery(hub, event_id, place, status=status)
    hour = now().replace(minute=0, second=0, microsecond=0)
    count_received(hub, desk, hour - timedelta(days=2), 10)
    count_received(hub, flow, hour, 5)
    return hub


def choose(page: Page, label: str, option: str) -> None:
    """Choose one of a list."""
    page.get_by_role("combobox", name=label, exact=True).click()
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


def check_comes_back(page: Page, seen: Locator, text: str, *, way_out: str) -> None:
    """Fail unless what is seen is there again after a way out and back."""
    address = page.url
    page.get_by_role("link", name=way_out, exact=True).click()
    expect(page.get_by_role("heading", name=way_out, exact=True)).to_be_visible()
    rest(page)
    page.go_back()
    expect(seen).to_contain_text(text)
    assert page.url == address


def note_of(page: Page, words: str) -> Locator:
    """Return the line under a list that counts it."""
    return page.get_by_test_id("stCaptionContainer").filter(has_text=words)


def test_filters_of_deliveries_outlive_reload_back_and_a_shared_link(
    dashboard: Dashboard, filled: Hub, context: BrowserContext, other: BrowserContext
) -> None:
    for each in (context, other):
        enter(each, dashboard, "ada")
    page = context.new_page()
    visit(page, f"{dashboard.url}/deliveries")
    note = note_of(page, "on this page")
    expect(note).to_contain_text("5 on this page")
    choose(page, "Status", "Delivered")
    expect(note).to_contain_text("3 on this page")
    choose(page, "Destination", "Ledger")
    page.wait_for_url("**destination=dst_**")
    page.get_by_role("radio", name="7d").click()
    page.wait_for_url("**made=7d**")
    assert "status=delivered" in page.url
    check_lasts(page, other, note, "3 on this page")
    check_comes_back(page, note, "3 on this page", way_out="Analytics")


def test_filters_of_activity_outlive_reload_back_and_a_shared_link(
    dashboard: Dashboard, filled: Hub, context: BrowserContext, other: BrowserContext
) -> None:
    for each in (context, other):
        enter(each, dashboard, "ada")
    page = context.new_page()
    visit(page, f"{dashboard.url}/activity")
    note = note_of(page, "on this page").first
    expect(note).to_contain_text("2 events on this page")
    choose(page, "Service", "Make")
    expect(note).to_contain_text("1 event on this page")
    page.get_by_role("radio", name="7d").click()
    page.wait_for_url("**range=7d**")
    page.get_by_text("Choose several", exact=True).click()
    page.wait_for_url("**choose=true**")
    check_lasts(page, other, note, "1 event on this page")
    check_comes_back(page, note, "1 event on this page", way_out="Deliveries")
    # Back within the screen takes the last choice away, and Forward makes it again.
    choose(page, "Service", "Twilio")
    page.wait_for_url("**service=twilio**")
    expect(page.get_by_role("button", name="service: Twilio")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("button", name="service: Make")).to_be_visible()
    expect(page.get_by_role("combobox", name="Service", exact=True)).to_have_value("Make")
    page.go_forward()
    expect(page.get_by_role("combobox", name="Service", exact=True)).to_have_value("Twilio")


def test_words_that_are_typed_stay_when_another_filter_is_pressed_at_once(
    dashboard: Dashboard, filled: Hub, context: BrowserContext
) -> None:
    enter(context, dashboard, "ada")
    page = context.new_page()
    visit(page, f"{dashboard.url}/activity")
    page.get_by_role("searchbox", name="Search", exact=True).fill("nobody at all")
    page.get_by_role("radio", name="7d").click()
    page.wait_for_url("**range=7d**")
    for words in ("last: 7d", "search: nobody at all"):
        expect(page.get_by_role("button", name=words, exact=True)).to_be_visible()
    assert "q=nobody" in page.url
    expect(page.get_by_role("searchbox", name="Search", exact=True)).to_have_value("nobody at all")


def test_filters_of_refused_requests_outlive_reload_back_and_a_shared_link(
    dashboard: Dashboard, filled: Hub, context: BrowserContext, other: BrowserContext
) -> None:
    for each in (context, other):
        enter(each, dashboard, "ada")
    page = context.new_page()
    visit(page, f"{dashboard.url}/rejected")
    note = note_of(page, "on this page")
    expect(note).to_contain_text("2 on this page")
    choose(page, "Service", "Make")
    expect(note).to_contain_text("1 on this page")
    page.get_by_role("radio", name="7d").click()
    page.wait_for_url("**range=7d**")
    check_lasts(page, other, note, "1 on this page")
    check_comes_back(page, note, "1 on this page", way_out="Activity")


def test_filters_of_analytics_outlive_reload_back_and_a_shared_link(
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
    check_comes_back(page, received, "10", way_out="Activity")
