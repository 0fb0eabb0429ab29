"""What is chosen in a chart narrows the page, and its address keeps it."""

import re
from datetime import timedelta

from playwright.sync_api import BrowserContext, Page, expect

from lib.clock import now
from lib.hub import Hub
from lib.people.users import find_user
from tests.browser.conftest import Dashboard, expect_heading, sign_in
from tests.event_factories import make_integration
from tests.figure_factories import count_received

_CHOSEN = re.compile(r"since=.+&until=.+")


def make_day(hub: Hub) -> None:
    """Count ten events in each of the last 24 hours."""
    ada = find_user(hub, "ada@example.com")
    assert ada is not None
    item = make_integration(hub, ada, service_name="make")
    hour = now().replace(minute=0, second=0, microsecond=0)
    for ago in range(24):
        count_received(hub, item, hour - timedelta(hours=ago), 10)


def drag_over_the_bars(page: Page) -> None:
    chart = page.get_by_test_id("stVegaLiteChart").first
    expect(chart.locator("canvas, svg").first).to_be_visible()
    page.wait_for_timeout(1_000)
    box = chart.bounding_box()
    assert box is not None
    height = box["y"] + box["height"] * 0.6
    page.mouse.move(box["x"] + box["width"] * 0.4, height)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, height, steps=8)
    page.mouse.up()


def test_a_time_that_is_dragged_over_narrows_the_page_and_survives_a_reload(
    dashboard: Dashboard, context: BrowserContext
) -> None:
    make_day(dashboard.hub)
    page = context.new_page()
    page.goto(f"{dashboard.url}/analytics?span=24h")
    sign_in(page, "ada@example.com")
    expect_heading(page, "Analytics")
    received = page.get_by_test_id("stMetric").filter(has_text="Received")
    expect(received).to_contain_text("240")
    drag_over_the_bars(page)
    expect(page).to_have_url(_CHOSEN)
    expect(received).not_to_contain_text("240")
    narrowed = received.get_by_test_id("stMetricValue").inner_text()
    assert 40 <= int(narrowed) <= 120
    page.reload()
    expect_heading(page, "Analytics")
    expect(received).to_contain_text(narrowed)
    page.get_by_role("button", name="Whole period").click()
    expect(received).to_contain_text("240")
    expect(page).not_to_have_url(_CHOSEN)


def test_the_figures_of_a_chart_are_written_when_they_are_asked_for(
    dashboard: Dashboard, context: BrowserContext
) -> None:
    page = context.new_page()
    page.goto(f"{dashboard.url}/analytics?span=24h&show=Report")
    sign_in(page, "ada@example.com")
    expect_heading(page, "Analytics")
    with page.expect_download() as table:
        page.get_by_role("button", name="CSV", exact=True).first.click()
    assert table.value.suggested_filename == "volume.csv"
    with page.expect_download() as report:
        page.get_by_role("button", name="Report to print").click()
    assert report.value.suggested_filename.endswith(".html")
    assert report.value.path().read_text().startswith("<!doctype html>")
