"""Deliveries in a real browser: the drawer that follows a worker, and a replay of chosen rows."""

from datetime import timedelta

from playwright.sync_api import BrowserContext, expect
from sqlmodel import col, select

from lib.access import Actor
from lib.clock import now
from lib.models import Delivery
from lib.outgoing.replays import work_replays
from lib.people.sessions import redeem_ticket, start_session
from lib.people.users import find_user
from tests.browser.conftest import Dashboard, expect_heading
from tests.event_factories import make_event, make_integration
from tests.outgoing_factories import make_delivery, make_destination


def _enter(context: BrowserContext, dashboard: Dashboard) -> Actor:
    ada = find_user(dashboard.hub, "ada@example.com")
    assert ada
    _, ticket = start_session(dashboard.hub, ada, ip="local", user_agent="test")
    cookie = redeem_ticket(dashboard.hub, ticket) or ""
    context.add_cookies([{"name": "hub_session", "value": cookie, "url": dashboard.url}])
    return ada


def test_the_drawer_follows_a_delivery_to_its_end_and_stays_open(
    dashboard: Dashboard, context: BrowserContext
) -> None:
    ada = _enter(context, dashboard)
    event_id = make_event(dashboard.hub, make_integration(dashboard.hub, ada, "Followed"))
    later = now() + timedelta(minutes=30)
    delivery = make_delivery(
        dashboard.hub,
        event_id,
        make_destination(dashboard.hub, ada, "Followed"),
        status="retrying",
        next_attempt_at=later,
    )
    page = context.new_page()
    page.goto(f"{dashboard.url}/activity?event={event_id}")
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_text("next try in 29 m")).to_be_visible(timeout=15_000)
    drawer.get_by_role("button", name="Retry now").click()
    expect(page.get_by_text("It is sent now.")).to_be_visible()
    expect(drawer.get_by_text("next try now")).to_be_visible()
    with dashboard.hub.database.write() as session:
        row = session.get_one(Delivery, delivery.id)
        row.status, row.next_attempt_at, row.finished_at = "delivered", None, now()
    expect(drawer.get_by_role("button", name="Replay")).to_be_visible(timeout=10_000)
    # Nothing moves any more, so nothing refreshes; the drawer stands.
    page.wait_for_timeout(3_000)
    # On top the event's, and below the delivery's.
    expect(drawer.get_by_text("Delivered", exact=True)).to_have_count(2)
    drawer.get_by_role("button", name="Replay").click()
    drawer.get_by_role("button", name="Send it again").click()
    expect(drawer.get_by_text("a replay")).to_be_visible()
    # The new one is open, so the drawer follows again.
    with dashboard.hub.database.write() as session:
        copy = session.exec(select(Delivery).where(col(Delivery.origin_id) == delivery.id)).one()
        copy.status, copy.next_attempt_at, copy.finished_at = "dead", None, now()
    expect(drawer.get_by_text("given up")).to_be_visible(timeout=10_000)


def test_chosen_rows_are_replayed_and_the_progress_survives_a_reload(
    dashboard: Dashboard, context: BrowserContext
) -> None:
    ada = _enter(context, dashboard)
    event_id = make_event(dashboard.hub, make_integration(dashboard.hub, ada, "Chosen"))
    place = make_destination(dashboard.hub, ada, "Chosen")
    for _ in range(3):
        make_delivery(dashboard.hub, event_id, place, status="dead")
    page = context.new_page()
    page.goto(f"{dashboard.url}/deliveries?status=dead&destination={place.id}")
    expect_heading(page, "Deliveries")
    expect(page.get_by_text("3 on this page")).to_be_visible()
    table = page.get_by_test_id("stDataFrame").first
    table.click(position={"x": 17, "y": 52})
    table.click(position={"x": 17, "y": 85})
    page.get_by_role("button", name="Replay selected (2)").click()
    page.get_by_role("button", name="Replay 2 deliveries").click()
    expect(page.get_by_text("0 of 2 deliveries made")).to_be_visible()
    page.reload()
    expect(page.get_by_text("0 of 2 deliveries made")).to_be_visible(timeout=15_000)
    assert work_replays(dashboard.hub) == 2
    expect(page.get_by_text("2 deliveries made anew")).to_be_visible(timeout=10_000)
    page.get_by_role("button", name="Close").click()
    page.wait_for_url(lambda url: "replay=" not in url and "status=dead" in url)
