"""From a fresh hub to the first event, and events that arrive while somebody looks."""

from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import BrowserContext, expect
from sqlmodel import select

from lib.models import IntegrationConfig
from lib.people.users import add_user
from tests.browser.conftest import PASSWORD, Dashboard, expect_heading, sign_in
from tests.browser.visits import enter, visit
from tests.event_factories import SID, make_integration
from tests.event_factories import TOKEN as DESK_TOKEN
from tests.processes import free_port, receiver_process
from tests.receiving import sign_form

ACCOUNT = "AC" + "ab12" * 8
TOKEN = "9f8e7d6c5b4a39281706f5e4d3c2b1a0"


@pytest.fixture(scope="module")
def receiver(dashboard: Dashboard) -> Iterator[str]:
    """Where a real receiver listens, a process of its own on the dashboard's database."""
    port = free_port()
    with receiver_process(dashboard.hub.settings, port):
        yield f"http://127.0.0.1:{port}"


def send_sms(receiver: str, address: str, *, number: int, account: str, token: str) -> None:
    """Send what Twilio would, signed for the public address, past the proxy to the receiver."""
    fields = {
        "MessageSid": f"SM{number:032d}",
        "AccountSid": account,
        "From": "+14155550123",
        "To": "+14155550199",
        "Body": f"Is there a table for {number}?",
    }
    signed = sign_form(address, fields, token=token)
    path = "/api/" + address.partition("/api/")[2]
    answer = requests.post(
        receiver + path, data=signed.body, headers=dict(signed.headers), timeout=10
    )
    assert answer.status_code == 200, answer.text


def test_a_member_comes_from_a_fresh_hub_to_the_first_event(
    dashboard: Dashboard, themed: BrowserContext, receiver: str, request: pytest.FixtureRequest
) -> None:
    theme = request.node.callspec.params["themed"]
    email, name = f"new-{theme}@example.com", f"Desk in the {theme}"
    account = ACCOUNT[:-4] + ("1111" if theme == "dark" else "2222")
    add_user(dashboard.hub, email=email, name="New", role="member", password=PASSWORD)
    page = themed.new_page()
    page.goto(dashboard.url)
    sign_in(page, email)
    expect_heading(page, "Overview")
    expect(page.get_by_text("Waiting for the first event…")).to_be_visible()
    page.get_by_role("link", name="Choose a service").click()
    page.get_by_role("button", name="Add Twilio").click()
    page.get_by_role("textbox", name="Name").fill(name)
    page.get_by_role("textbox", name="Account SID").fill(account)
    page.get_by_role("textbox", name="Auth Token", exact=True).fill(TOKEN)
    page.get_by_role("button", name="Save and show the address").click()
    expect_heading(page, name)
    expect(page.get_by_text("Waiting for the first event…")).to_be_visible()
    address = page.get_by_test_id("stCode").filter(has_text="/api/webhooks/").first.inner_text()
    # What follows the # tells Twilio how to retry; it is neither sent nor signed.
    address = address.strip().partition("#")[0]
    with dashboard.hub.database.read() as session:
        stored = select(IntegrationConfig).where(IntegrationConfig.name == name)
        assert session.exec(stored).one().webhook_url == address

    # The other tab is the overview; neither is touched from here on.
    overview = themed.new_page()
    visit(overview, dashboard.url)
    expect(overview.get_by_role("link", name=f"Address of {name}")).to_be_visible()
    expect(overview.get_by_text("Waiting for the first event…")).to_be_visible()
    for each in (page, overview):
        each.evaluate("window.untouched = true")
    send_sms(receiver, address, number=1, account=account, token=TOKEN)
    for each in (page, overview):
        arrived = each.get_by_test_id("stAlert").filter(has_text="message.inbound")
        expect(arrived).to_be_visible()
        expect(each.get_by_role("link", name="Open it")).to_be_visible()
        assert each.evaluate("window.untouched") is True
    page.get_by_role("link", name="Open it").click()
    expect(page.get_by_role("dialog").get_by_text("message.inbound").first).to_be_visible()


def test_a_new_event_shows_in_the_live_list_without_a_reload(
    dashboard: Dashboard, themed: BrowserContext, receiver: str, request: pytest.FixtureRequest
) -> None:
    ada = enter(themed, dashboard, "ada")
    theme = request.node.callspec.params["themed"]
    item = make_integration(dashboard.hub, ada, f"Live in the {theme}")
    values = {"account": SID, "token": DESK_TOKEN}
    page = themed.new_page()
    visit(page, f"{dashboard.url}/activity?integration={item.id}")
    expect(page.get_by_text("No event matches")).to_be_visible()
    page.get_by_text("Live", exact=True).click()
    page.wait_for_url("**live=true**")
    page.evaluate("window.untouched = true")
    send_sms(receiver, item.webhook_url, number=1, **values)
    expect(page.get_by_text("1 event on this page")).to_be_visible()
    send_sms(receiver, item.webhook_url, number=2, **values)
    expect(page.get_by_text("2 events on this page")).to_be_visible()
    assert page.evaluate("window.untouched") is True
