"""From a customer's number to the cause, the repair and the replay, with and without a mouse."""

import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from lib.access import Actor
from lib.models import Destination
from tests.browser.conftest import Dashboard, expect_heading
from tests.browser.visits import enter, rest, visit
from tests.fakes.server import running
from tests.outgoing_factories import make_destination, make_route
from tests.processes import start_worker
from tests.receiving import connect, post, receiving, sign

_GIVEN_UP = re.compile("^given up")


@dataclass
class Sink:
    """The other side: answers 410 under /gone until it is mended, and 200 elsewhere."""

    is_mended: bool = False
    origin: str = ""
    arrived: list[str] = field(default_factory=list)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        status = 410 if scope["path"] == "/gone" and not self.is_mended else 200
        if status == 200:
            self.arrived.append(dict(scope["headers"])[b"webhook-id"].decode())
        headers = [(b"content-length", b"0")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture(scope="module")
def working_sink(dashboard: Dashboard) -> Iterator[Sink]:
    """The other side, and a real worker that sends to it."""
    sink = Sink()
    with running(sink) as sink.origin:  # type: ignore[arg-type]  # any ASGI app will do
        worker = start_worker(dashboard.hub.settings, HUB_ALLOWED_PRIVATE_NETWORKS="127.0.0.0/8")
        yield sink
        worker.send_signal(signal.SIGTERM)
        worker.wait(20)


@pytest.fixture
def sink(working_sink: Sink) -> Sink:
    """The other side, not mended yet."""
    working_sink.is_mended = False
    working_sink.arrived.clear()
    return working_sink


def lose_an_sms(dashboard: Dashboard, owner: Actor, sink: Sink, *, digits: str) -> Destination:
    """Let Twilio say that an SMS to +1 415 555 `digits` failed; onwards it meets a 410."""
    issued = connect(dashboard.hub, owner, "twilio")
    place = make_destination(dashboard.hub, owner, f"Booking {digits}", url=f"{sink.origin}/gone")
    make_route(dashboard.hub, issued.integration, place)
    content = {
        "MessageSid": f"SM{int(digits):032d}",
        "MessageStatus": "undelivered",
        "ErrorCode": "30003",
        "AccountSid": issued.integration.config_data["account_sid"],
        "From": "+14155550199",
        "To": f"+1415555{digits}",
    }
    with receiving(dashboard.hub) as client:
        answer = post(client, issued.integration.webhook_url, sign(issued, content))
    assert answer.status_code == 204
    return place


def test_a_failed_sms_is_found_by_number_understood_mended_and_replayed(
    dashboard: Dashboard, themed: BrowserContext, sink: Sink, request: pytest.FixtureRequest
) -> None:
    ada = enter(themed, dashboard, "ada")
    digits = "0123" if request.node.callspec.params["themed"] == "light" else "0124"
    place = lose_an_sms(dashboard, ada, sink, digits=digits)
    page = themed.new_page()
    visit(page, f"{dashboard.url}/deliveries?destination={place.id}&status=dead")
    expect_heading(page, "Deliveries")
    wait_for_row(page)
    box = page.get_by_role("searchbox", name="Search everything")
    box.fill(f"(415) 555-{digits}")
    box.press("Enter")
    expect_heading(page, "Activity")
    expect(page.get_by_text("1 event on this page")).to_be_visible()
    page.get_by_test_id("stDataFrame").first.click(position={"x": 17, "y": 52})
    drawer = page.get_by_role("dialog")
    expect(drawer.get_by_text("30003 · Phone unreachable")).to_be_visible()
    explained = drawer.get_by_test_id("stAlert").filter(has_text="30003")
    expect(explained).to_contain_text("The phone could not be reached")
    expect(explained).to_contain_text("Try again later, or ask the recipient")
    expect(drawer.get_by_text(_GIVEN_UP)).to_be_visible()
    expect(drawer.get_by_text("410").first).to_be_visible()

    # The other side is mended; here its destination takes deliveries again.
    sink.is_mended = True
    visit(page, f"{dashboard.url}/webhooks?open={place.id}")
    expect(page.get_by_text("Nothing is sent here.")).to_be_visible()
    page.get_by_role("button", name="Enable again").click()
    expect(page.get_by_text("Nothing is sent here.")).to_be_hidden()
    page.go_back()
    expect(drawer.get_by_text(_GIVEN_UP)).to_be_visible()
    drawer.get_by_role("button", name="Replay").click()
    drawer.get_by_role("button", name="Send it again").click()
    expect(drawer.get_by_text("a replay")).to_be_visible()
    expect(drawer.get_by_text("Delivered", exact=True)).to_be_visible()
    assert len(sink.arrived) == 1


def wait_for_row(page: Page) -> None:
    """Load the list until the worker has given the delivery up."""
    for _ in range(30):
        if page.get_by_text("1 on this page").is_visible():
            return
        page.wait_for_timeout(300)
        page.reload(wait_until="commit")
        rest(page)
    raise AssertionError("the worker did not give the delivery up")
