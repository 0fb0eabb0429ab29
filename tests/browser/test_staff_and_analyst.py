"""What staff and analysts come for, in both themes; what they must not get is in test_privacy."""

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Dashboard, expect_heading
from tests.browser.visits import enter, person, visit
from tests.event_factories import make_event, make_integration
from tests.outgoing_factories import make_attempt, make_delivery, make_destination


def turn_to(page: Page, section: str) -> None:
    """Choose a section of the Settings screen."""
    page.get_by_role("radio", name=section, exact=True).click()
    page.wait_for_url(f"**section={section}**")


def test_staff_set_ages_look_at_health_and_prove_a_backup(
    dashboard: Dashboard, themed: BrowserContext
) -> None:
    enter(themed, dashboard, "sam")
    page = themed.new_page()
    visit(page, f"{dashboard.url}/settings")
    expect_heading(page, "Settings")
    page.get_by_role("spinbutton", name="Payloads").fill("45")
    page.get_by_role("button", name="Save ages").click()
    expect(page.get_by_text("The next round goes by these ages.")).to_be_visible()
    page.reload()
    expect(page.get_by_role("spinbutton", name="Payloads")).to_have_value("45")
    turn_to(page, "Health")
    expect_heading(page, "Database")
    expect(page.get_by_text("up to date")).to_be_visible()
    turn_to(page, "Backups")
    page.get_by_role("button", name="Back up now").click()
    expect(page.get_by_text("Not tested").first).to_be_visible()
    page.get_by_role("button", name="Test restore").first.click()
    expect(page.get_by_text("Restores", exact=True).first).to_be_visible()
    turn_to(page, "Addresses")
    page.get_by_role("button", name="Test it").click()
    expect(page.get_by_text("Start the receiver")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("button", name="Back up now")).to_be_visible()
    page.get_by_role("link", name="Users", exact=True).click()
    expect_heading(page, "Users")
    expect(page.get_by_text("ann@example.com")).to_be_visible()


def test_an_analyst_reads_figures_and_an_event_and_can_send_nothing(
    dashboard: Dashboard, themed: BrowserContext
) -> None:
    ada = person(dashboard.hub, "ada")
    event_id = make_event(dashboard.hub, make_integration(dashboard.hub, ada, "Read"))
    place = make_destination(dashboard.hub, ada, "Ledger")
    make_attempt(dashboard.hub, make_delivery(dashboard.hub, event_id, place, status="dead"))
    enter(themed, dashboard, "ann")
    page = themed.new_page()
    visit(page, f"{dashboard.url}/")
    expect_heading(page, "Overview")
    page.get_by_role("link", name="Analytics", exact=True).click()
    expect_heading(page, "Analytics")
    page.get_by_role("radio", name="Failures").click()
    page.wait_for_url("**show=Failures**")
    visit(page, f"{dashboard.url}/activity?event={event_id}")
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_text("Ledger", exact=True)).to_be_visible()
    expect(drawer.get_by_role("button", name="Details")).to_be_visible()
    for name in ("Replay", "Send", "Edit & resend", "Save as sample"):
        expect(drawer.get_by_role("button", name=name, exact=True)).to_have_count(0)
    drawer.get_by_role("button", name="Close").click()
    expect(drawer).to_be_hidden()
    page.get_by_role("link", name="Deliveries", exact=True).click()
    expect_heading(page, "Deliveries")
    expect(page.get_by_text("on this page")).to_be_visible()
    expect(page.get_by_role("button", name="Replay all that match")).to_have_count(0)
