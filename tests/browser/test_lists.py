"""The lists in a real browser: what the address keeps, and the live feed."""

import re

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import Dashboard, expect_heading
from tests.browser.visits import enter
from tests.event_factories import make_event, make_integration
from tests.outgoing_factories import make_delivery, make_destination

_SOON = 15_000


def _expect_filtered(page: Page) -> None:
    expect(page.get_by_role("button", name="status: Failed")).to_be_visible(timeout=_SOON)
    expect(page.get_by_role("button", name="last: 7d")).to_be_visible(timeout=_SOON)
    expect(page.get_by_text("1 event on this page.")).to_be_visible(timeout=_SOON)


def test_filters_survive_a_reload_and_a_shared_link(
    dashboard: Dashboard, context: BrowserContext, chromium: Browser
) -> None:
    ada = enter(context, dashboard, "ada")
    item = make_integration(dashboard.hub, ada, "Shared")
    failed = make_event(dashboard.hub, item, status="failed")
    make_event(dashboard.hub, item)
    page = context.new_page()
    page.goto(f"{dashboard.url}/activity")
    expect_heading(page, "Activity")
    page.get_by_test_id("stButtonGroup").get_by_text("7d", exact=True).click()
    expect(page.get_by_role("button", name="last: 7d")).to_be_visible(timeout=_SOON)
    page.get_by_role("combobox", name="Status").click()
    page.get_by_role("option", name="Failed").click()
    _expect_filtered(page)
    page.reload()
    _expect_filtered(page)
    page.get_by_role("button", name="Export").click()
    link = page.get_by_role("link", name="CSV")
    expect(link).to_have_attribute("href", re.compile("range=7d&status=failed"))
    page.keyboard.press("Escape")
    # A link to the open drawer, in the browser of somebody else with the same rights.
    other = chromium.new_context(viewport={"width": 1280, "height": 900})
    enter(other, dashboard, "ada")
    guest = other.new_page()
    guest.goto(f"{page.url}&event={failed}")
    expect(guest.get_by_role("dialog").get_by_text(failed)).to_be_visible(timeout=_SOON)
    _expect_filtered(guest)
    guest.reload()
    expect(guest.get_by_role("dialog").get_by_text(failed)).to_be_visible(timeout=_SOON)
    other.close()


def test_the_live_feed_shows_what_arrives_and_rests_under_an_open_row(
    dashboard: Dashboard, context: BrowserContext
) -> None:
    ada = enter(context, dashboard, "ada")
    item = make_integration(dashboard.hub, ada, "Live")
    first = make_event(dashboard.hub, item)
    page = context.new_page()
    page.goto(f"{dashboard.url}/activity?live=true&integration={item.id}")
    expect(page.get_by_text("1 event on this page.")).to_be_visible(timeout=_SOON)
    make_event(dashboard.hub, item)
    expect(page.get_by_text("2 events on this page.")).to_be_visible(timeout=_SOON)
    page.goto(f"{dashboard.url}/activity?live=true&integration={item.id}&event={first}")
    expect(page.get_by_role("dialog").get_by_text(first)).to_be_visible(timeout=_SOON)
    make_event(dashboard.hub, item)
    page.wait_for_timeout(3_500)
    expect(page.get_by_text("2 events on this page.")).to_be_attached()
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(page.get_by_text("3 events on this page.")).to_be_visible(timeout=_SOON)


def test_what_waits_is_cancelled_through_its_dry_run(
    dashboard: Dashboard, context: BrowserContext
) -> None:
    ada = enter(context, dashboard, "ada")
    event_id = make_event(dashboard.hub, make_integration(dashboard.hub, ada, "Waiting"))
    place = make_destination(dashboard.hub, ada, "Waiting")
    for _ in range(2):
        make_delivery(dashboard.hub, event_id, place, status="retrying")
    page = context.new_page()
    page.goto(f"{dashboard.url}/deliveries?destination={place.id}")
    page.get_by_role("button", name="Cancel what waits").click()
    dialog = page.get_by_role("dialog")
    start = dialog.get_by_role("button", name="Cancel what is queued: 2 deliveries")
    expect(start).to_be_visible(timeout=_SOON)
    make_delivery(dashboard.hub, event_id, place, status="retrying")
    start.click()
    expect(dialog.get_by_text("2 done.")).to_be_visible(timeout=_SOON)
    dialog.get_by_test_id("stBaseButton-secondary").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("3 on this page")).to_be_visible(timeout=_SOON)
