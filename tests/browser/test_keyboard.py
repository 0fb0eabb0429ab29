"""Without a mouse: from the sign-in to a dead letter that is opened and replayed."""

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import PASSWORD, Dashboard, expect_heading, expect_login
from tests.browser.visits import no_mouse, person
from tests.event_factories import make_event, make_integration
from tests.outgoing_factories import make_attempt, make_delivery, make_destination

# More presses than any screen has places for the focus.
_MOST = 120


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until `wanted`, or what is in it, has the focus."""
    expect(wanted).to_be_visible()
    for _ in range(_MOST):
        page.keyboard.press("Tab")
        if wanted.evaluate("each => each.contains(document.activeElement)"):
            return
    raise AssertionError(f"Tab does not lead to {wanted}")


def test_a_dead_letter_is_opened_and_replayed_by_keyboard_alone(
    dashboard: Dashboard, context: BrowserContext
) -> None:
    ada = person(dashboard.hub, "ada")
    event_id = make_event(dashboard.hub, make_integration(dashboard.hub, ada))
    place = make_destination(dashboard.hub, ada, "Ledger")
    make_attempt(
        dashboard.hub, make_delivery(dashboard.hub, event_id, place, status="dead"), outcome="dead"
    )
    page = context.new_page()
    page.goto(f"{dashboard.url}/deliveries?status=dead")
    expect_login(page)
    with no_mouse(page):
        tab_to(page, page.get_by_role("textbox", name="E-mail"))
        page.keyboard.type("ada@example.com")
        tab_to(page, page.get_by_role("textbox", name="Password"))
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        expect_heading(page, "Deliveries")
        expect(page.get_by_text("1 on this page")).to_be_visible()

        # The table takes the arrows; Shift and Space choose the row.
        tab_to(page, page.get_by_test_id("stDataFrame").first.locator("canvas").first)
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Shift+Space")
        replay = page.get_by_role("button", name="Replay selected (1)")
        expect(replay).to_be_enabled()
        tab_to(page, page.get_by_role("link", name="Open it"))
        page.keyboard.press("Enter")
        drawer = page.get_by_role("dialog")
        expect(drawer.get_by_text("The other side failed with status 500.").first).to_be_visible()
        tab_to(page, drawer.get_by_role("button", name="Replay"))
        page.keyboard.press("Enter")
        tab_to(page, drawer.get_by_role("button", name="Send it again"))
        page.keyboard.press("Space")
        expect(drawer.get_by_text("a replay")).to_be_visible()
        tab_to(page, drawer.get_by_role("button", name="Close"))
        page.keyboard.press("Enter")
        expect(drawer).to_be_hidden()
