"""Photographs the screens of a hub that holds the demo data: `make screenshots`.

`python -m tests.browser.take_screenshots FOLDER WIDTH` looks at them in another width.
"""

import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from starlette.testclient import TestClient

from lib.access import Actor
from lib.clock import now
from lib.connections import integrations
from lib.connections.status_pages import status_url
from lib.demo.fill import fill
from lib.events import reading as events
from lib.events.reading import EventFilters
from lib.hub import Hub
from lib.models import WorkerHeartbeat
from lib.outgoing import issues
from lib.outgoing.destinations import list_all as list_destinations
from lib.people import api_tokens, users
from lib.people.sessions import redeem_ticket, start_session
from tests.browser.conftest import PASSWORD, ROOT, Dashboard, expect_heading, run_dashboard
from tests.conftest import CHROMIUM, CHROMIUM_ARGUMENTS
from webhook_receiver.app import create_app

FOLDER = ROOT / "docs" / "screenshots"
STATUS_PAGE = "status-page"
Prepare = Callable[[Page], None]


def _choose_route(page: Page) -> None:
    """Fill the builder's first two choices, so that its preview has something to show."""
    for label in ("Events of", "Go to"):
        page.get_by_role("combobox", name=label).click()
        page.get_by_role("option").first.click()
        _wait_until_still(page)


def _open_channels(page: Page) -> None:
    page.get_by_role("tab", name="Channels").click()


@dataclass(frozen=True)
class Screen:
    """One photograph: `name` is the file's, `title` the heading waited for.

    In the address `path` a name in braces stands for an id of the demo's; `prepare` does what
    a visitor would do there first. `who` looks at it: staff, an analyst, or nobody signed in.
    """

    name: str
    title: str
    path: str
    prepare: Prepare | None = None
    who: str = "staff"


# A new screen is one line here.
SCREENS = (
    Screen("sign-in", "Sign in", "", who="nobody"),
    # The first page has no path of its own.
    Screen("overview", "Overview", ""),
    Screen("overview-analyst", "Overview", "", who="analyst"),
    Screen("analytics", "Analytics", "analytics"),
    Screen("activity", "Activity", "activity"),
    Screen("event", "Activity", "activity?event={event}"),
    Screen("event-analyst", "Activity", "activity?event={event}", who="analyst"),
    Screen("deliveries", "Deliveries", "deliveries"),
    Screen("issues", "Issues", "issues"),
    Screen("issue", "Issue", "issues?open={issue}"),
    Screen("rejected", "Rejected", "rejected"),
    Screen("alerts", "Alerts", "alerts"),
    Screen("alerts-channels", "Alerts", "alerts", _open_channels),
    Screen("integrations", "Integrations", "integrations"),
    Screen("integrations-table", "Integrations", "integrations?table=true"),
    Screen("integration-add", "Add Twilio", "integrations?add=twilio"),
    Screen("integration", "{integration_name}", "integrations?open={integration}"),
    Screen("webhooks", "Webhooks", "webhooks"),
    Screen("destination", "{destination_name}", "webhooks?open={destination}"),
    Screen("webhooks-routes", "Webhooks", "webhooks?view=Routes"),
    Screen("route-builder", "New route", "webhooks?route=new", _choose_route),
    Screen("testing", "Testing tools", "testing"),
    Screen("testing-bin", "Testing tools", "testing?tool=Bin+%26+chaos"),
    Screen("testing-route", "Testing tools", "testing?tool=Route+test"),
    Screen("testing-calculator", "Testing tools", "testing?tool=Calculator"),
    Screen("testing-codes", "Testing tools", "testing?tool=Codes"),
    Screen("testing-doctor", "Testing tools", "testing?tool=Doctor"),
    Screen("credentials", "Credentials", "credentials"),
    Screen("settings", "Settings", "settings"),
    Screen("settings-health", "Settings", "settings?section=Health"),
    Screen("settings-backups", "Settings", "settings?section=Backups"),
    Screen("settings-keys", "Settings", "settings?section=Keys"),
    Screen("settings-addresses", "Settings", "settings?section=Addresses"),
    Screen("users", "Users", "users"),
    Screen("users-tokens", "Users", "users?view=API+tokens"),
    Screen("audit", "Audit", "audit"),
    Screen("account", "Account", "account"),
)
WIDTH, HEIGHT = 1280, 800
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")


@dataclass(frozen=True)
class _Visit:
    """What one round of photographs works with."""

    dashboard: Dashboard
    cookies: Mapping[str, str]
    ids: Mapping[str, str]
    status_page: str
    folder: Path
    width: int


def main() -> int:
    """Write every screen in both themes and return the exit status."""
    if not CHROMIUM.exists():
        print(f"There is no {CHROMIUM}: apt-get install chromium", file=sys.stderr)
        return 1
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    width = int(sys.argv[2]) if len(sys.argv) > 2 else WIDTH
    target.mkdir(exist_ok=True)
    for old in target.glob("*.png"):
        old.unlink()
    with tempfile.TemporaryDirectory() as folder, run_dashboard(Path(folder)) as dashboard:
        visit = _prepare(dashboard, target, width)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM, args=list(CHROMIUM_ARGUMENTS)
            )
            for theme in THEMES:
                _photograph(visit, browser, theme=theme)
            browser.close()
    return 0


def _prepare(dashboard: Dashboard, folder: Path, width: int) -> _Visit:
    hub = dashboard.hub
    fill(hub.settings, create_app)
    staff, analyst = (
        users.add_user(hub, email=f"{role}@example.com", name=name, role=role, password=PASSWORD)[0]
        for role, name in (("staff", "Sam Staff"), ("analyst", "Ann Analyst"))
    )
    api_tokens.create(hub, staff, name="Zapier", scopes=["read:events", "actions"], days=90)
    cookies = {"staff": _sign_in(hub, staff), "analyst": _sign_in(hub, analyst)}
    _give_sign_of_life(hub)
    ids = _ids(hub, staff)
    url = status_url(hub, staff, ids["integration"]) or ""
    with TestClient(create_app(hub), base_url=hub.settings.public_url) as client:
        answer = client.get(url)
    return _Visit(dashboard, cookies, ids, answer.text, folder, width)


def _sign_in(hub: Hub, actor: Actor) -> str:
    _, ticket = start_session(hub, actor, ip="203.0.113.7", user_agent="Firefox/146 Linux")
    return redeem_ticket(hub, ticket) or ""


def _ids(hub: Hub, staff: Actor) -> dict[str, str]:
    number = next(
        each for each in integrations.list_all(hub, staff) if each.service_name == "twilio"
    )
    recent = EventFilters(integration_id=number.id, status="delivered")
    place = next(each for each in list_destinations(hub, staff) if each.kind == "make")
    return {
        "integration": number.id,
        "integration_name": number.name,
        "event": events.list_events(hub, staff, recent, limit=1).rows[0].id,
        "issue": issues.list_issues(hub, staff).rows[0].id,
        "destination": place.id,
        "destination_name": place.name,
    }


def _give_sign_of_life(hub: Hub) -> None:
    """Stand in for a worker, which would send what waits to invented addresses."""
    beat = WorkerHeartbeat(id="wrk_demo", host="demo", started_at=now(), beat_at=now())
    with hub.database.write() as session:
        session.merge(beat)


def _photograph(visit: _Visit, browser: Browser, *, theme: Theme) -> None:
    url = visit.dashboard.url
    context = browser.new_context(
        viewport={"width": visit.width, "height": HEIGHT}, color_scheme=theme
    )
    for screen in SCREENS:
        context.clear_cookies()
        if cookie := visit.cookies.get(screen.who):
            context.add_cookies([{"name": "hub_session", "value": cookie, "url": url}])
        _give_sign_of_life(visit.dashboard.hub)
        page = context.new_page()
        page.goto(f"{url}/{screen.path.format(**visit.ids)}")
        expect_heading(page, screen.title.format(**visit.ids))
        _wait_until_still(page)
        if screen.prepare is not None:
            screen.prepare(page)
            _wait_until_still(page)
        _keep(page, visit.folder / f"{screen.name}-{theme}.png")
        page.close()
    _photograph_status(visit, context, theme=theme)
    context.close()


def _photograph_status(visit: _Visit, context: BrowserContext, *, theme: Theme) -> None:
    page = context.new_page()
    page.set_content(visit.status_page)
    _keep(page, visit.folder / f"{STATUS_PAGE}-{theme}.png")
    page.close()


def _keep(page: Page, path: Path) -> None:
    """Keep a picture in the 256 colours that its screen has, at a third of the size."""
    with Image.open(BytesIO(page.screenshot())) as picture:
        few = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        few.save(path, optimize=True)


def _wait_until_still(page: Page) -> None:
    """Wait until the script has ended and nothing is being loaded or drawn."""
    page.wait_for_selector(
        "[data-testid=stApp][data-test-connection-state=CONNECTED]"
        "[data-test-script-state=notRunning]"
    )
    for waiting in ("stSkeleton", "stSpinner"):
        page.wait_for_function(
            "name => document.querySelectorAll(`[data-testid=${name}]`).length === 0", arg=waiting
        )
    # Canvases and charts announce nothing: two equal pictures in a row say that they are done.
    last = b""
    for _ in range(12):
        page.wait_for_timeout(400)
        seen = page.screenshot()
        if seen == last:
            return
        last = seen


if __name__ == "__main__":
    sys.exit(main())
