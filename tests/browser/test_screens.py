"""The screens in a real browser: what an address keeps, and what only a browser can open."""

from playwright.sync_api import BrowserContext, Page, expect
from sqlmodel import select

from lib.access import Actor
from lib.connections import integrations
from lib.models import IntegrationConfig
from lib.people.users import find_user
from tests.browser.conftest import Dashboard, expect_heading, sign_in, wait_for_cookie
from tests.event_factories import SID, TOKEN, make_event, make_integration


def _visit(context: BrowserContext, dashboard: Dashboard, path: str) -> Page:
    page = context.new_page()
    page.goto(dashboard.url + path)
    sign_in(page, "ada@example.com")
    wait_for_cookie(context)
    return page


def test_a_member_adds_an_integration_and_sees_its_address(
    dashboard: Dashboard, context: BrowserContext
) -> None:
    page = _visit(context, dashboard, "/integrations")
    page.get_by_role("button", name="Add integration").click()
    page.get_by_role("button", name="Add Twilio").click()
    page.get_by_role("textbox", name="Name").fill("Browser desk")
    page.get_by_role("textbox", name="Account SID").fill(SID)
    page.get_by_role("textbox", name="Auth Token", exact=True).fill(TOKEN)
    page.get_by_role("button", name="Save and show the address").click()
    expect_heading(page, "Browser desk")
    with dashboard.hub.database.read() as session:
        query = select(IntegrationConfig).where(IntegrationConfig.name == "Browser desk")
        row = session.exec(query).one()
    addresses = page.get_by_test_id("stCode").filter(has_text=row.webhook_url)
    expect(addresses.first).to_be_visible()
    assert TOKEN not in page.content()
    make_event(dashboard.hub, integrations.get(dashboard.hub, _ada(dashboard), row.id))
    expect(page.get_by_text("Its status is")).to_be_visible(timeout=10_000)


def test_a_filter_survives_a_reload(dashboard: Dashboard, context: BrowserContext) -> None:
    item = make_integration(dashboard.hub, _ada(dashboard), "Reload", service_name="make")
    make_event(dashboard.hub, item, status="failed")
    page = _visit(context, dashboard, f"/activity?integration={item.id}")
    expect_heading(page, "Activity")
    page.get_by_role("combobox", name="Status").click()
    page.get_by_role("option", name="Failed", exact=True).click()
    expect(page.get_by_text("1 event on this page")).to_be_visible()
    page.wait_for_url("**status=failed**")
    page.reload()
    expect(page.get_by_text("1 event on this page")).to_be_visible(timeout=15_000)
    assert f"integration={item.id}" in page.url
    assert "status=failed" in page.url
    page.get_by_role("combobox", name="Status").click()
    page.get_by_role("option", name="Pending", exact=True).click()
    expect(page.get_by_text("No event matches")).to_be_visible()
    page.get_by_role("button", name="Clear the filters").click()
    page.wait_for_url(lambda url: "status" not in url and "integration=" not in url)


def test_a_row_opens_the_drawer_and_closing_forgets_it(
    dashboard: Dashboard, context: BrowserContext
) -> None:
    item = make_integration(dashboard.hub, _ada(dashboard), "Drawer", service_name="make")
    event_id = make_event(dashboard.hub, item)
    page = _visit(context, dashboard, f"/activity?integration={item.id}&live=true")
    expect(page.get_by_text("1 event on this page")).to_be_visible(timeout=15_000)
    # The cells are drawn on a canvas; the first column holds the boxes that choose a row.
    table = page.get_by_test_id("stDataFrame").first
    table.click(position={"x": 17, "y": 52})
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_text(event_id)).to_be_visible()
    page.wait_for_url(f"**event={event_id}**")
    # It stays open while the list, which is live, stands still.
    page.wait_for_timeout(3_000)
    expect(drawer).to_be_visible()
    page.reload()
    expect(drawer.get_by_text(event_id)).to_be_visible(timeout=15_000)
    drawer.get_by_role("button", name="Close").click()
    expect(drawer).to_be_hidden()
    page.wait_for_url(lambda url: "event=" not in url)


def test_the_list_of_routes_survives_a_reload(
    dashboard: Dashboard, context: BrowserContext
) -> None:
    page = _visit(context, dashboard, "/webhooks")
    expect_heading(page, "Webhooks")
    expect(page.get_by_text("No destinations yet")).to_be_visible()
    page.get_by_role("radio", name="Routes").click()
    page.wait_for_url("**view=Routes**")
    page.reload()
    expect(page.get_by_text("No routes yet")).to_be_visible(timeout=15_000)
    page.get_by_role("button", name="Add route").click()
    page.wait_for_url("**route=new**")
    expect_heading(page, "New route")
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_text("No routes yet")).to_be_visible()
    page.wait_for_url("**view=Routes**")
    page.get_by_role("radio", name="Destinations").click()
    expect(page.get_by_text("No destinations yet")).to_be_visible()


def _ada(dashboard: Dashboard) -> Actor:
    ada = find_user(dashboard.hub, "ada@example.com")
    assert ada
    return ada
